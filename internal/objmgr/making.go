package objmgr

// What a new object is given by its creator's own code, such as a mapping's first
// bytes, is there before anybody else can open it. That code may fail, panic, or
// end its goroutine: then nothing of the object stays.

// made runs the rest of an object's making, and returns the object, or closes its
// file if that is not completed.
func (o *Object) made(making func() error) (_ *Object, err error) {
	completed := false
	defer func() {
		if !completed {
			o.discard()
		}
	}()
	if err := making(); err != nil {
		return nil, err
	}
	completed = true
	return o, nil
}

// discard closes the file of an object that nobody else has had.
func (o *Object) discard() {
	if o.kept.page != nil {
		o.kept.page.Release()
	}
	o.m.host.Close(o.fd)
}

func (o *Object) initialize(d draft) error {
	if d.init == nil {
		return nil
	}
	return d.init(o)
}

// complete ends the making of an object that has its name and the exclusive lock.
func (o *Object) complete(d draft) (err error) {
	completed := false
	defer func() {
		if completed {
			return
		}
		if _, ok := o.named(); ok {
			_ = o.m.host.Unlink(o.file)
		}
	}()
	if err := d.complete(o); err != nil {
		return err
	}
	completed = true
	o.downgrade()
	return nil
}
