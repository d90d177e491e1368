package test

import (
	"io/fs"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// Why cases are not shown.
const (
	noRights      = "handles have no access masks: what may be done is asked for when opening"
	noExecute     = "no views of executable code"
	goTypes       = "does not compile: each kind is a Go type of its own"
	oneEntryPoint = "names are Go strings and go through the wide entry points only"
	otherProgram  = "is about .NET on Unix, not about Windows"
	noPorts       = "jobs are waited for by Wait and Empty: a port serves one process only"
	noLimits      = "limits need a cgroup"
	wineLimits    = "Wine 8 takes limits and forgets them, which is an error here"
	exactSize     = "sizes are exact: C and Python take a mapping's size from its file"
)

// What the matrix of views is made of.
var denied = fs.ErrPermission

const (
	readWrite   = filemap.ReadWrite
	readOnly    = filemap.ReadOnly
	copyOnWrite = filemap.CopyOnWrite
)

// conformance is the ruling of each case.
var conformance = map[string]ruling{
	"map-open-missing":             shown(mapOpenMissing),
	"map-create-readonly-pagefile": shown(mapReadOnly),
	"map-size-rounded-to-page":     {run: mapSizeRounded, linux: exactSize},
	"map-zeroed":                   shown(mapZeroed),
	"map-sec-reserve":              shown(mapSparse),
	"map-many":                     shown(mapMany),
	"map-large-pages-privilege": neither(
		"no option for large pages: on Linux the mount of /dev/shm decides on them"),

	"file-empty-size0":      shown(fileEmpty),
	"file-readonly-larger":  shown(fileReadOnlyLarger),
	"file-noaccess-handle":  shown(fileNoAccess),
	"file-size0-means-file": shown(fileSize),
	"file-coherent":         shown(fileCoherent),
	"file-truncate-mapped": {run: fileTruncate,
		linux: "a mapped file can be truncated: a touch of what is gone is object.ErrFault"},

	"view-offset-4k":       neither("any offset will do: the library aligns"),
	"net-offset-rounding":  shown(viewAnyOffset),
	"view-offset-64k":      shown(viewOffset(65536, 65536, nil)),
	"view-offset-64k-rest": shown(viewOffset(65536, 0, nil)),
	"view-too-big":         shown(viewOffset(0, 131073, object.ErrRange)),
	"view-past-end-size":   shown(viewOffset(65536, 65537, object.ErrRange)),
	"view-offset-beyond":   shown(viewOffset(196608, 1, object.ErrRange)),
	"view-offset-high":     shown(viewOffset(1<<32, 1, object.ErrRange)),
	"view-access0":         neither("no access of no rights: the default is what the handle permits"),
	"view-alias":           shown(viewAlias),
	"view-cow":             shown(viewCopyOnWrite),
	"view-write-handle":    neither("there is no access for writing only"),
	"view-dup-reduced":     shown(viewLesserHandle),
	"view-writecopy-file":  shown(viewCopyOnWriteFile),
	"view-unmap-bad":       shown(viewClosedTwice),
	"view-unmap-interior":  neither("views are closed as such, not by an address"),
	"view-flush":           shown(viewFlush),
	"view-ex-base":         shown(viewBase),
	"view-wrong-handle":    shown(viewClosedHandle),
	"view-section-query":   {run: viewSectionSize, linux: exactSize},

	"view-matrix-readonly-read":                shown(viewMatrix(readOnly, readOnly, nil)),
	"view-matrix-readonly-read+write":          shown(viewMatrix(readOnly, readWrite, denied)),
	"view-matrix-readonly-copy":                shown(viewMatrix(readOnly, copyOnWrite, nil)),
	"view-matrix-readwrite-copy":               shown(viewMatrix(readWrite, copyOnWrite, nil)),
	"view-matrix-writecopy-read":               shown(viewMatrix(copyOnWrite, readOnly, nil)),
	"view-matrix-writecopy-write":              shown(viewMatrix(copyOnWrite, readWrite, denied)),
	"view-matrix-writecopy-copy":               shown(viewMatrix(copyOnWrite, copyOnWrite, nil)),
	"view-matrix-readonly-read+execute":        neither(noExecute),
	"view-matrix-readonly-read+write+execute":  neither(noExecute),
	"view-matrix-readwrite-read+execute":       neither(noExecute),
	"view-matrix-writecopy-read+execute":       neither(noExecute),
	"view-matrix-writecopy-read+write+execute": neither(noExecute),
	"view-matrix-exec-read-write":              neither(noExecute),
	"view-matrix-exec-read-read+write+execute": neither(noExecute),
	"view-matrix-exec-readwrite-write":         neither(noExecute),
	"view-matrix-exec-readwrite-copy":          neither(noExecute),
	"view-matrix-exec-readwrite-read+execute":  neither(noExecute),

	"map-recreate-fresh":                shown(mapRecreated),
	"map-name-with-only-view":           shown(mapOnlyView),
	"map-duplicate-keeps-name":          shown(mapSecondHandle),
	"handle-double-close":               shown(mapClosedTwice),
	"map-cross-process":                 shown(mapCrossProcess),
	"map-other-process-view-only":       shown(mapOnlyViewElsewhere),
	"life-temporary-semaphore":          shown(diesWithLastHandle),
	"event-state-dies-with-last-handle": shown(eventStateDies),

	"ns-empty-create-mapping":     shown(nameEmptyCreate),
	"ns-open-null-mapping":        shown(nameEmptyOpen),
	"ns-open-empty-mapping":       shown(nameEmptyOpen),
	"ns-backslash-mapping":        shown(nameBackslash),
	"ns-local-is-default-mapping": shown(nameLocalDefault),
	"ns-global-vs-local":          shown(nameGlobal),
	"ns-prefix-only":              shown(namePrefixOnly),
	"ns-odd-characters":           shown(nameOddCharacters),
	"ns-long-name-ansi":           neither(oneEntryPoint + ", which take 32,766 characters"),
	"ns-ansi-wide-same":           neither(oneEntryPoint),
	"net-unix-named-sem-event":    neither(otherProgram),
	"net-pal-mutex-name-limits":   neither(otherProgram),

	"ns-type-mapping-then-mutex":     wrongKind(object.Mapping, object.Mutex),
	"ns-type-mapping-then-semaphore": wrongKind(object.Mapping, object.Semaphore),
	"ns-type-mapping-then-event":     wrongKind(object.Mapping, object.Event),
	"ns-type-semaphore-then-event":   wrongKind(object.Semaphore, object.Event),
	"ns-type-event-then-mapping":     wrongKind(object.Event, object.Mapping),
	"ns-type-event-then-timer":       wrongKind(object.Event, object.Timer),
	"ns-type-timer-then-mutex":       wrongKind(object.Timer, object.Mutex),
	"ns-type-timer-then-semaphore":   wrongKind(object.Timer, object.Semaphore),
	"ns-open-empty-mutex":            openEmpty(object.Mutex),
	"ns-backslash-mutex":             backslash(object.Mutex),
	"ns-local-is-default-mutex":      localIsDefault(object.Mutex),
	"ns-open-empty-semaphore":        openEmpty(object.Semaphore),
	"ns-backslash-semaphore":         backslash(object.Semaphore),
	"ns-local-is-default-semaphore":  localIsDefault(object.Semaphore),
	"ns-empty-create-event":          shown(unnamedEvents),
	"ns-local-is-default-event":      localIsDefault(object.Event),
	"ns-open-null-timer":             openEmpty(object.Timer),
	"ns-backslash-timer":             backslash(object.Timer),
	"ns-local-is-default-timer":      localIsDefault(object.Timer),
	"ns-exists-mutex":                existing(object.Mutex),
	"ns-exists-event":                existing(object.Event),
	"ns-exists-timer":                existing(object.Timer),

	"mutex-wait-no-synchronize": neither(noRights),
	"mutex-open-access0":        neither(noRights),
	"mutex-open-one-right-each": neither(noRights),
	"sem-access":                neither(noRights),
	"timer-access":              neither(noRights),
	"net-max-rights":            neither(noRights),
	"wrong-type-ops":            neither(goTypes),

	"mutex-initial-owner-existing": shown(mutexInitialOwner),
	"mutex-recursive":              shown(mutexRecursive),
	"mutex-abandoned-thread":       shown(mutexAbandoned),
	"mutex-abandoned-process-exit": shown(mutexFromPeer),
	"mutex-abandoned-any-index":    shown(mutexAbandonedAny),
	"mutex-abandoned-all":          shown(mutexAbandonedAll),
	"mutex-handoff":                shown(mutexHandoff),

	"sem-init-gt-max":      semaphoreRefused(2, 1),
	"sem-neg-init":         semaphoreRefused(-1, 1),
	"sem-neg-max":          semaphoreRefused(0, -1),
	"sem-max-max":          shown(semaphoreLargest),
	"sem-release-too-many": shown(semaphoreReleaseTooMany),
	"sem-release-full":     semaphoreRelease(1, object.ErrLimit),
	"sem-release-0":        semaphoreRelease(0, fs.ErrInvalid),
	"sem-release-neg":      semaphoreRelease(-1, fs.ErrInvalid),
	"sem-release-wakes-n":  shown(semaphoreWakes),

	"event-auto":           shown(eventAuto),
	"event-manual":         shown(eventManual),
	"event-auto-set-reset": shown(eventSetReset),
	"event-auto-wakes-one": eventWakes(false, (*waitable.Event).Set, 1),
	"event-pulse-manual":   eventWakes(true, (*waitable.Event).Pulse, 3),
	"event-pulse-auto":     eventWakes(false, (*waitable.Event).Pulse, 1),
	"event-cross-process":  shown(eventFromPeer),
	"event-ex":             neither(noRights),

	"timer-manual":        shown(timerManual),
	"timer-relative":      shown(timerRelative),
	"timer-absolute":      shown(timerAbsolute),
	"timer-periodic-sync": shown(timerPeriodic),
	"timer-no-queue":      shown(timerNoQueue),
	"timer-wakes":         shown(timerWakes),

	"wait-timeout":           shown(waitTimeout),
	"wait-bad-handle":        shown(waitClosed),
	"wait-count-limits":      neither("any number of objects but none can be waited for"),
	"wait-all-atomic":        shown(waitAllAtomic),
	"wait-all-mixed":         shown(waitAllMixed),
	"wait-any-bad-member":    shown(waitAnyClosedMember),
	"wait-mutexes":           shown(waitMutexes),
	"wait-on-mapping":        neither(goTypes),
	"signal-and-wait-events": shown(signalAndWaitEvents),
	"signal-and-wait-others": shown(signalAndWaitOthers),
	"wait-pseudo-handle":     neither(goTypes),
	"event-handle-closed-during-wait": neither(
		"Close ends the waits through its handle with os.ErrClosed"),
	"wait-all-duplicate-object":      shown(waitDuplicate),
	"job-create-exists":              shown(jobExists),
	"job-open-missing":               shown(jobMissing),
	"job-name-gone-with-last-handle": shown(jobNameGoes),
	"job-create-over-mapping":        shown(jobOverMapping),
	"job-name-taken-for-others":      shown(jobForOthers),
	"job-name-backslash":             shown(jobBackslash),
	"job-assign-list":                shown(jobMember),
	"job-list-short-buffer":          neither("the list is a slice, as long as it must be"),
	"job-terminate-exit-code":        shown(jobTerminate),
	"job-child-is-member":            shown(jobChild),
	"job-kill-on-close":              shown(jobKillsOnClose),
	"job-close-without-kill":         shown(jobLeaves),
	"job-holder-killed":              shown(jobHolderKilled),
	"job-member-with-handle-keeps":   shown(jobMemberKeeps),
	"job-terminate-by-name":          shown(jobTerminateByName),
	"job-access":                     neither(noRights),
	"job-port-messages":              neither(noPorts),
	"job-port-once":                  neither(noPorts),
	"job-signaled":                   shown(jobEndIsSeen),
	"job-active-process-limit":       {linux: noLimits, windows: wineLimits},
	"job-memory-limit":               {linux: noLimits, windows: wineLimits},
	"job-cpu-rate":                   {linux: noLimits, windows: wineLimits},
	"job-accounting-time": {
		linux:   "guards do not count what members that ended have used",
		windows: "Wine 8 says 0",
	},
	"job-limit-class": neither("limits are fields of a struct"),
	"job-nested":      {run: jobNested, linux: "no running process becomes a member"},
	"job-breakaway":   neither("no option lets a member's child leave"),
	"job-list-attribute": neither(
		"package os/exec has no such attribute: a command starts suspended, and is assigned"),
	"job-parent-attribute": neither("the parent of a command is its starter"),
}
