package manage

import (
	"context"
	"fmt"
	"time"

	"waypost/link"
	"waypost/manage/manifest"
)

// Applied is what applying a file did, thing by thing in the file's order.
type Applied struct {
	Things []manifest.Thing
}

// Count returns how many things had an action.
func (a Applied) Count(action manifest.Action) int {
	n := 0
	for _, t := range a.Things {
		if t.Action == action {
			n++
		}
	}
	return n
}

// Apply makes the store hold what the file says and puts it in force. All of
// it is one write; a file that changes nothing writes nothing. The error of a
// file that is at odds with the store is manifest.Problems, an Invalid fault.
func (s *Service) Apply(ctx context.Context, f manifest.File) (Applied, error) {
	s.configure.Lock()
	defer s.configure.Unlock()
	stored, err := s.Store.LoadCatalog(ctx)
	if err != nil {
		return Applied{}, fmt.Errorf("apply %s: %w", f.Name, err)
	}
	plan, err := manifest.Resolve(f, stored)
	if err != nil {
		return Applied{}, err // its lines name the file
	}
	applied := Applied{Things: plan.Things}
	if plan.Empty() {
		return applied, s.enforce(ctx, "apply "+f.Name)
	}
	now := s.now()
	for i := range plan.Changed.AppGroups {
		g := &plan.Changed.AppGroups[i]
		g.UpdatedAt = now
		if g.CreatedAt.IsZero() {
			g.CreatedAt = now
		}
	}
	// What the store would then hold must load: it could not be mended through us.
	if _, err := link.NewDirectory(plan.Merged); err != nil {
		return Applied{}, fmt.Errorf("apply %s: %w", f.Name, err)
	}
	if err := s.Store.SaveCatalog(ctx, plan.Changed); err != nil {
		return Applied{}, fmt.Errorf("apply %s: %w", f.Name, err)
	}
	s.stale = true
	if err := s.enforce(ctx, "apply "+f.Name); err != nil {
		return applied, err
	}
	s.Logger.InfoContext(ctx, "applied", "file", f.Name, "created", applied.Count(manifest.Created),
		"changed", applied.Count(manifest.Changed), "unchanged", applied.Count(manifest.Unchanged))
	return applied, nil
}

// enforce puts what is stored in force where that is still to be done, also
// when a reload after an earlier change has failed. A caller who leaves does
// not stop it: the store has the change already. configure is held.
func (s *Service) enforce(ctx context.Context, what string) error {
	if !s.stale {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reloadWithin)
	defer cancel()
	if err := s.reload(ctx); err != nil {
		return fmt.Errorf("%s: what is stored is not in force: %w", what, err)
	}
	return nil
}

// reloadWithin bounds the reading of a configuration, which is a few thousand rows.
const reloadWithin = 30 * time.Second
