package azure

import (
	"cmp"
	"regexp"
	"strings"

	"ferry/failover"
)

var (
	// quotaText is how Compute names the quota, and the older form of Resource Manager (both documented).
	quotaText = regexp.MustCompile(`(?i)exceeding (?:approved (.{1,80}?) quota|quota limits of ([\w ]{1,80}))`)
	// scarceText are Compute's codes for a size for which there is no room (documented), and the sentence that goes with them.
	scarceText = regexp.MustCompile(`(?i)SkuNotAvailable|AllocationFailed|Overconstrained(?:Zonal)?AllocationRequest|sufficient capacity`)
	// quotaCode is Compute's code where the text names no quota.
	quotaCode = regexp.MustCompile(`(?i)\b(?:Resource)?QuotaExceeded\b`)
	sizeText  = regexp.MustCompile(`\b(?:Standard|Basic)_[A-Z][A-Za-z0-9-]*(?:_[A-Za-z0-9]+)*`)
	// shortText is what the causes of Site Recovery's own codes speak of, and otherText what they speak of beside it.
	shortText = regexp.MustCompile(`(?i)\bquotas?\b|\bcapacity\b`)
	otherText = regexp.MustCompile(`(?i)polic(?:y|ies)\b|availability set|intermittent`)
)

const (
	anySize  = "the VM's size"
	anyQuota = "more than the quota"
)

// capacity says for what a region had no room, by the text of an error, as it can follow "no capacity for"; empty when the error
// is about something else. Azure has no field for it: Site Recovery puts what Compute has answered into the text (documented).
// Its own codes for a VM (28031) or a network interface (28092) that could not be made, and for a size or quota that the region
// lacks (150097), have several causes (documented): they count where the text names no other.
func capacity(f failover.Fault) string {
	text := strings.Join([]string{f.Code, f.Message, f.Cause, f.Action}, " ")
	if m := quotaText.FindStringSubmatch(text); m != nil {
		return anyQuota + " of " + strings.TrimSpace(cmp.Or(m[1], m[2]))
	}
	switch {
	case quotaCode.MatchString(text):
		return anyQuota
	case scarceText.MatchString(text):
		return cmp.Or(sizeText.FindString(text), anySize)
	case !shortText.MatchString(text) || otherText.MatchString(text):
		return ""
	}
	switch f.Code {
	case "28092":
		return anyQuota
	case "28031", "150097":
		return anySize + ", or for " + anyQuota
	}
	return ""
}
