package terminal_test

import (
	"os"
	"testing"
	"time"
)

// A thousand VMs, as an incident commander sees them on the page.
func TestBrowserFleet(t *testing.T) {
	if os.Getenv("FERRY_SCREENSHOTS") == "" {
		t.Skip("for its pictures: make screenshots")
	}
	base, _ := sandboxed(t, "127.0.0.1:0", "--speed", "5", "--vms", "1001")
	p := open(t, newBrowser(t), base, 1280, 900)
	p.name, p.patience = "fleet", 3*time.Minute // a thousand VMs on the page, the vault and Ferry share a machine
	p.types("/failover group region latest-processed --reason westeurope is down --confirm region\r")
	const title = "Failover of group region (1,000 VMs): "
	p.sees(title + "awaiting approval")
	p.become("ben")
	p.begins("Failover of group region")
	p.looks("1-approval")
	p.presses("Approve")
	for _, up := range []string{"1", "2", "6", `[1-9]\d\d`} { // wave after wave, and half of the last
		p.until(up+" are up", `/[^\d]`+up+` of 1,000 up/.test(document.getElementById("messages").innerText)`)
	}
	p.presses("Pause") // the card is being edited all the time
	p.until("the card rests", `(() => {
		const say = document.getElementById("messages").innerText;
		if (window.said !== say) [window.said, window.since] = [say, Date.now()];
		return Date.now() - window.since > 8000;
	})()`)
	p.begins("Failover of group region")
	p.looks("2-running")
	p.presses("300×")
	p.sees(title + "awaiting commit")
	p.begins("Failover of group region")
	p.looks("3-commit")
}
