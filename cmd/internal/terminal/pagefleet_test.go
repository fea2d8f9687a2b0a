package terminal_test

import (
	"os"
	"testing"
)

// A thousand VMs, as an incident commander sees them on the page.
func TestBrowserFleet(t *testing.T) {
	if os.Getenv("FERRY_SCREENSHOTS") == "" {
		t.Skip("for its pictures: make screenshots")
	}
	base, _ := sandboxed(t, "127.0.0.1:0", "--speed", "20", "--vms", "1001")
	p := open(t, newBrowser(t), base, 1280, 900)
	p.name = "fleet"
	p.types("/failover group region latest-processed --reason westeurope is down --confirm region\r")
	const title = "Failover of group region (1,000 VMs): "
	p.sees(title + "awaiting approval")
	p.become("ben")
	p.begins("Failover of group region")
	p.looks("1-approval")
	p.presses("Approve")
	p.sees(title + "running")
	p.until("some of the last wave are up", `/[2-9]\d\d of 1,000 up/.test(document.getElementById("messages").innerText)`)
	p.begins("Failover of group region")
	p.looks("2-running")
	p.sees(title + "awaiting commit")
	p.begins("Failover of group region")
	p.looks("3-commit")
}
