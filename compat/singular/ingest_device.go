package singular

import (
	"cmp"
	"encoding/json"
	"slices"

	"waypost/attribution"
	"waypost/event"
	"waypost/internal/device"
)

// instanceNames are ids that an SDK or a backend has made for one device.
var instanceNames = []string{"sdid", "sing", "match_id"}

// devices returns the device ids, or says which one is missing.
func (t *telling) devices() ([]attribution.DeviceID, error) {
	var ids []attribution.DeviceID
	for _, name := range instanceNames {
		if value := t.said[name]; value != "" && (name == instanceNames[0] || !t.second) {
			ids = append(ids, attribution.DeviceID{Kind: attribution.Instance, Form: attribution.Raw, Value: value})
		}
	}
	if !t.second {
		for _, id := range deviceIDs(t.said) {
			if id.Kind != attribution.Instance {
				ids = append(ids, id)
			}
		}
	}
	ids = slices.DeleteFunc(ids, func(id attribution.DeviceID) bool { return id.State() == attribution.Absent })
	if len(ids) == 0 {
		return nil, noDeviceID()
	}
	usable := slices.DeleteFunc(slices.Clone(ids), func(id attribution.DeviceID) bool { return id.State() != attribution.Usable })
	if need, kinds := t.needs(); !hasID(usable, kinds...) {
		return nil, lacks(t.said[queryPlatform], need)
	}
	return ids, nil
}

// needs returns the id that the platform must have, and the kinds that will do.
func (t *telling) needs() (param string, kinds []attribution.IDKind) {
	switch {
	case t.second:
		return instanceNames[0], []attribution.IDKind{attribution.Instance}
	case t.platform == device.IOS:
		return "idfv", []attribution.IDKind{attribution.IDFV}
	case t.platform == device.Android, t.platform == device.FireOS:
		return "asid", []attribution.IDKind{attribution.AppSetID, attribution.GAID, attribution.OAID, attribution.AmazonID, attribution.AndroidID}
	}
	return instanceNames[0], []attribution.IDKind{attribution.Instance}
}

// consentOf reads what the person permits; nil where the request does not say.
// What cannot be read is refused: it may be a no.
func consentOf(said filled) (*event.Consent, error) {
	var c event.Consent
	told := false
	if status := said["att_authorization_status"]; status != "" {
		told = true
		switch status { // App Tracking Transparency's own numbers
		case "0":
		case "1", "2":
			c.Tracking = string(attribution.No)
		case "3":
			c.Tracking = string(attribution.Yes)
		default:
			return nil, wrong("att_authorization_status", "it must be 0 to 3")
		}
	}
	if options := said["data_sharing_options"]; options != "" {
		told = true
		var o struct {
			Limit *bool `json:"limit_data_sharing"`
		}
		if err := json.Unmarshal([]byte(options), &o); err != nil {
			return nil, wrong("data_sharing_options", `it must be a JSON object such as {"limit_data_sharing":true}`)
		}
		switch event.YesNoOf(o.Limit) {
		case event.Yes:
			c.Advertising = string(attribution.No)
		case event.No:
			c.Advertising = string(attribution.Yes)
		}
	}
	for _, name := range []string{"dnt", "dntoff"} {
		if said[name] == "" {
			continue
		}
		on, ok := readSwitch(said[name])
		if !ok {
			return nil, wrong(name, "it must be 1 or 0, true or false, yes or no")
		}
		told = true
		if on == (name == "dnt") {
			c.LimitAds = event.Yes
		}
		c.LimitAds = cmp.Or(c.LimitAds, event.No) // of two words that differ, the one that forbids
	}
	if !told {
		return nil, nil
	}
	return &c, nil
}
