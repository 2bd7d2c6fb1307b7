/* rollby: the wallboard: the supervisor's page without anything that acts. */
import "./supervisor.js";
