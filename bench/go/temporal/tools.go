//go:build tools

// What the benchmark of load builds of Temporal: its server, and the tool that makes the tables of its SQL stores.
package tools

import (
	_ "go.temporal.io/server/cmd/server"
	_ "go.temporal.io/server/cmd/tools/sql"
)
