/* Serves DynamoDB's API on loopback. Prints the port; ends when its standard input is closed. */
"use strict";

const dynalite = require("dynalite");

const server = dynalite({ createTableMs: 0, deleteTableMs: 0 });
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit()).resume();
