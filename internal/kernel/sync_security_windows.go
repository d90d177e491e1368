package kernel

import (
	"io/fs"

	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// syncDescriptor returns the descriptor of a new synchronization object. Who
// shares it may wait too, which generic rights call executing.
func syncDescriptor(security *object.Security) (*sys.SecurityDescriptor, error) {
	if security == nil || security.SDDL != "" {
		return securityDescriptor(security)
	}
	if security.Group == object.ShareRead || security.Everybody == object.ShareRead {
		return nil, object.Explain(fs.ErrInvalid, "only mappings can be shared for reading alone")
	}
	user, group, err := sys.User()
	if err != nil {
		return nil, err
	}
	sddl := "D:" + allow("GA", user)
	if security.Group == object.ShareAll {
		sddl += allow("GRGWGX", group)
	}
	if security.Everybody == object.ShareAll {
		sddl += allow("GRGWGX", "WD")
	}
	return securityDescriptor(&object.Security{SDDL: sddl})
}
