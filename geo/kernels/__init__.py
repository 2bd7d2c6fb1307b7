"""The compiled inner loops, a file each; every one has its plain twin in the tests."""
