package manifest

import (
	"waypost/link"
)

// checkNames refuses names that must be unique in the whole installation and
// that two things have, looked at when the whole file lies over the store.
func (p *planner) checkNames() {
	names, keys, guids := map[string]int{}, map[string]int{}, map[string]int{}
	for _, a := range p.accounts {
		names[a.Names[link.OneLink]]++
		keys[a.SDKKey]++
	}
	for _, a := range p.apps {
		guids[a.GUID]++
	}
	const text = "belongs to something else too; it must be unique"
	for thing, path := range p.paths {
		switch key := thing.(type) {
		case link.Key:
			account := p.accounts[key]
			if name := account.Names[link.OneLink]; name != "" && names[name] > 1 {
				p.add(path+".onelink_account_id", text)
			}
			if account.SDKKey != "" && keys[account.SDKKey] > 1 {
				p.add(path+".sdk_key", text)
			}
		case ref:
			if guid := p.apps[key].GUID; guid != "" && guids[guid] > 1 {
				p.add(path+".guid", text)
			}
		}
	}
}

// checkHashes refuses a secret that opens two tokens: the look-up is by hash.
func (p *planner) checkHashes() {
	holders := map[link.SecretHash]int{}
	for _, t := range p.tokens {
		holders[t.Hash]++
	}
	for thing, path := range p.paths {
		if key, ok := thing.(holder); ok && holders[p.tokens[key].Hash] > 1 {
			p.add(path+".secret", "is the secret of another token too; each token needs its own")
		}
	}
}
