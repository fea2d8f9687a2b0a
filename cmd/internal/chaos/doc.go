// Package chaos runs Ferry as it is deployed, with the built binary and real nats-server processes on this machine, and ends,
// freezes and starves them while people work.
//
// It owns the processes, the people who play and the judge, who reads the ledgers of the stand-ins and the stream after
// everything, and it writes what was measured into docs/reliability.md. It refuses to look into a process: what it knows it
// got from outside, or from the stream. All of it is tests; each has its processes, ports and directories for itself.
package chaos
