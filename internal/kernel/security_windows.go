package kernel

import (
	"io/fs"

	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// securityDescriptor returns the descriptor of a new object, nil for the
// system's default.
func securityDescriptor(security *object.Security) (*sys.SecurityDescriptor, error) {
	if security == nil {
		return nil, nil
	}
	sddl := security.SDDL
	if sddl == "" {
		user, group, err := sys.User()
		if err != nil {
			return nil, err
		}
		const world = "WD"
		sddl = "D:" + allow("GA", user) + allow(sharedRights(security.Group), group) +
			allow(sharedRights(security.Everybody), world)
	}
	descriptor, err := sys.SecurityDescriptorFromString(sddl)
	if err != nil {
		return nil, object.Explain(fs.ErrInvalid,
			"the security descriptor "+sddl+" is wrong: "+err.Error())
	}
	return descriptor, nil
}

// sharedRights returns what a share lets others do: all but to take the object
// over from its owner.
func sharedRights(share object.Share) string {
	switch share {
	case object.ShareRead:
		return "GR"
	case object.ShareAll:
		return "GRGW"
	}
	return ""
}

// allow returns an entry of an access control list in SDDL.
func allow(rights, who string) string {
	if rights == "" {
		return ""
	}
	return "(A;;" + rights + ";;;" + who + ")"
}
