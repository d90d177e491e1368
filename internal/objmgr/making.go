package objmgr

// A creator's own code finishes a new object, such as by writing a mapping's first
// bytes, before any other process can open it. That code may fail, panic, or end
// its goroutine: then nothing of the object remains.

// made calls making and returns the object, or closes its file unless making
// returns nil.
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

// discard closes the file of an object that no other process has opened.
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

// complete finishes an object that has its name and the exclusive lock.
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
