package locks

import "github.com/filemap-go/filemap/bench/measure"

// Roles are the main functions of the child processes.
var Roles = measure.Roles{
	crowdRole: func() error { return measure.Answer(measureCrowd()) },
	echoRole:  echo,
	futexRole: futexEcho,
	ownerRole: own,
	fightRole: fight,
	flockRole: fightByFlock,
}
