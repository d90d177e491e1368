package locks

import "errors"

func startFutex() (*trip, error) { return nil, errors.ErrUnsupported }

func futexEcho() error { return errors.ErrUnsupported }
