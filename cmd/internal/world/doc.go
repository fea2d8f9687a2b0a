// Package world plays whole incidents in fake time: the app as it is wired for production, the stand-ins for Azure and
// Slack, and a real NATS server, all in one testing/synctest bubble over in-memory connections.
//
// It owns the checks that no package can make alone: promises that hold across crashes of the whole process. It has tests
// only, and refuses to reach into any package: people act through the workspace, the ledgers of the stand-ins judge, and the
// stream is read as any other program may. Explorations draw what happens; their corpus is testdata/schedules.
// Bubbles never run in parallel: NATS keeps pools of timers that must not pass from one bubble into another.
package world
