"""
A small OpenID provider: Authlib's server behind FastAPI, a process of its own.

Whoever comes is signed in as the settings in its environment say; nobody is asked.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from authlib.oauth2.rfc6749 import (  # type: ignore[import-untyped]
    AuthorizationCodeMixin,
    AuthorizationServer,
    ClientMixin,
    OAuth2Request,
)
from authlib.oauth2.rfc6749.grants import (  # type: ignore[import-untyped]
    AuthorizationCodeGrant,
)
from authlib.oauth2.rfc6749.requests import (  # type: ignore[import-untyped]
    BasicOAuth2Payload,
)
from authlib.oauth2.rfc6750 import (  # type: ignore[import-untyped]
    BearerTokenGenerator,
)
from authlib.oauth2.rfc7636 import CodeChallenge  # type: ignore[import-untyped]
from authlib.oidc.core import UserInfo  # type: ignore[import-untyped]
from authlib.oidc.core.grants import OpenIDCode  # type: ignore[import-untyped]
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from joserfc.jwk import RSAKey

KEY = RSAKey.generate_key(2048, {"kid": "1", "use": "sig", "alg": "RS256"}, auto_kid=False)
OTHER = RSAKey.generate_key(2048, {"kid": "1", "use": "sig", "alg": "RS256"}, auto_kid=False)
CODES: dict[str, Any] = {}
CLAIMS: dict[str, Any] = {}


class Client(ClientMixin):  # type: ignore[misc]
    def get_client_id(self) -> str:
        return "rollby"

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == os.environ["REDIRECT"]

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == "a client's secret"  # noqa: S105 - of a test

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        return method == "client_secret_basic"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


class Code(AuthorizationCodeMixin):  # type: ignore[misc]
    def __init__(self, code: str, sent: dict[str, str]) -> None:
        self.code, self.sent = code, sent
        self.code_challenge = sent.get("code_challenge")
        self.code_challenge_method = sent.get("code_challenge_method")

    def get_redirect_uri(self) -> str | None:
        return self.sent.get("redirect_uri")

    def get_scope(self) -> str | None:
        return self.sent.get("scope")

    def get_nonce(self) -> str | None:
        return self.sent.get("nonce")

    def get_auth_time(self) -> int:
        return int(CLAIMS.get("auth_time", time.time()))

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


class Grant(AuthorizationCodeGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic",)

    def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
        CODES[code] = Code(code, dict(request.payload.data))

    def query_authorization_code(self, code: str, _client: Client) -> Code | None:
        return CODES.get(code)

    def delete_authorization_code(self, authorization_code: Code) -> None:
        del CODES[authorization_code.code]

    def authenticate_user(self, _authorization_code: Code) -> str:
        return "somebody"


class Identity(OpenIDCode):  # type: ignore[misc]
    def exists_nonce(self, _nonce: str, _request: OAuth2Request) -> bool:
        return False

    def resolve_client_private_key(self, _client: Client) -> Any:
        return (OTHER if CLAIMS.get("forged") else KEY).as_dict(private=True)

    def get_client_algorithm(self, _client: Client) -> str:
        return "RS256"

    def get_client_claims(self, _client: Client) -> dict[str, Any]:
        return {"iss": os.environ["ISSUER"], "aud": ["rollby"], "exp": int(time.time()) + 300}

    def get_encode_header(self, _client: Client) -> dict[str, Any]:
        return {"alg": "RS256", "kid": "1"}

    def generate_user_info(self, _user: str, _scope: str) -> UserInfo:
        said = {"sub": "4711", **CLAIMS}
        return UserInfo(**{name: value for name, value in said.items() if value is not None})


class Server(AuthorizationServer):  # type: ignore[misc]
    def query_client(self, client_id: str) -> Client | None:
        return Client() if client_id == "rollby" else None

    def save_token(self, _token: Any, _request: Any) -> None:
        pass

    def send_signal(self, _name: str, *_args: Any, **_more: Any) -> None:
        pass

    def create_oauth2_request(self, request: Any) -> OAuth2Request:
        if isinstance(request, OAuth2Request):
            return request
        method, uri, headers, sent = request
        made = OAuth2Request(method, uri, headers=headers)
        made._body = sent
        made.payload = BasicOAuth2Payload(sent)
        return made

    def handle_response(self, status: int, body: Any, headers: Any) -> Response:
        if isinstance(body, dict):
            return JSONResponse(body, status, dict(headers))
        return Response(body, status, dict(headers))


SERVER = Server()
SERVER.register_token_generator("default", BearerTokenGenerator(lambda **_: os.urandom(16).hex()))
SERVER.register_grant(Grant, [CodeChallenge(required=True), Identity(require_nonce=True)])
app = FastAPI()


@app.get("/.well-known/openid-configuration")
def about() -> dict[str, Any]:
    issuer = os.environ["ISSUER"]
    return {
        "issuer": CLAIMS.get("calls_itself", issuer),
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/keys",
    }


@app.get("/keys")
def keys() -> dict[str, Any]:
    return {"keys": [KEY.as_dict(private=False)]}


@app.get("/authorize")
def authorize(request: Request) -> Response:
    sent = dict(request.query_params)
    asked = SERVER.create_oauth2_request(("GET", str(request.url), dict(request.headers), sent))
    response: Response = SERVER.create_authorization_response(
        asked, grant_user="somebody", grant=SERVER.get_consent_grant(asked, end_user="somebody")
    )
    return response


@app.post("/token")
async def token(request: Request) -> Response:
    sent = dict(parse_qsl((await request.body()).decode()))
    headers = {name.title(): value for name, value in request.headers.items()}
    response: Response = SERVER.create_token_response(("POST", str(request.url), headers, sent))
    return response


@app.put("/claims")
async def claims(request: Request) -> None:
    """Have the next token say this."""
    CLAIMS.clear()
    CLAIMS.update(json.loads(await request.body()))


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error")
