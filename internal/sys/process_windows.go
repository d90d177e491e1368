package sys

import "golang.org/x/sys/windows"

// Rights to a process.
const (
	PROCESS_DUP_HANDLE                = windows.PROCESS_DUP_HANDLE
	PROCESS_QUERY_LIMITED_INFORMATION = windows.PROCESS_QUERY_LIMITED_INFORMATION
	PROCESS_SET_QUOTA                 = windows.PROCESS_SET_QUOTA
	PROCESS_TERMINATE                 = windows.PROCESS_TERMINATE
)

// CurrentProcess returns a handle to this process that need not be closed.
func CurrentProcess() Handle { return windows.CurrentProcess() }

// OpenProcess opens a process.
func OpenProcess(access uint32, pid int) (Handle, error) {
	return windows.OpenProcess(access, false, uint32(pid))
}

// ImageName returns the path of a process's program.
func ImageName(process Handle) (string, error) {
	path := make([]uint16, windows.MAX_LONG_PATH)
	n := uint32(len(path))
	if err := windows.QueryFullProcessImageName(process, 0, &path[0], &n); err != nil {
		return "", err
	}
	return windows.UTF16ToString(path[:n]), nil
}

// SessionID returns the logon session that a process belongs to.
func SessionID(pid int) (session uint32, err error) {
	err = windows.ProcessIdToSessionId(uint32(pid), &session)
	return session, err
}

// User returns the security identifiers of this process's user and of the
// user's primary group, as they are written in SDDL.
func User() (user, group string, err error) {
	token := windows.GetCurrentProcessToken()
	tokenUser, err := token.GetTokenUser()
	if err != nil {
		return "", "", err
	}
	tokenGroup, err := token.GetTokenPrimaryGroup()
	if err != nil {
		return "", "", err
	}
	return tokenUser.User.Sid.String(), tokenGroup.PrimaryGroup.String(), nil
}
