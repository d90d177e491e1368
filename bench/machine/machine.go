// Package machine has what a benchmark asks of the system that it runs on.
package machine
