package sys

// What golang.org/x/sys/windows does not have, for synchronization objects.
//
//sys	createSemaphore(attributes *windows.SecurityAttributes, count int32, limit int32, name *uint16) (handle Handle, err error) [failretval==0 || e1 == windows.ERROR_ALREADY_EXISTS] = kernel32.CreateSemaphoreW
//sys	createWaitableTimer(attributes *windows.SecurityAttributes, manual bool, name *uint16) (handle Handle, err error) [failretval==0 || e1 == windows.ERROR_ALREADY_EXISTS] = kernel32.CreateWaitableTimerW
//sys	openSemaphore(access uint32, inherit bool, name *uint16) (handle Handle, err error) = kernel32.OpenSemaphoreW
//sys	openWaitableTimer(access uint32, inherit bool, name *uint16) (handle Handle, err error) = kernel32.OpenWaitableTimerW
//sys	releaseSemaphore(semaphore Handle, n int32, previous *int32) (err error) = kernel32.ReleaseSemaphore
//sys	setWaitableTimer(timer Handle, due *int64, period int32, completion uintptr, argument uintptr, resume bool) (err error) = kernel32.SetWaitableTimer
//sys	cancelWaitableTimer(timer Handle) (err error) = kernel32.CancelWaitableTimer
//sys	waitForMultipleObjectsEx(count uint32, handles *Handle, all bool, milliseconds uint32, alertable bool) (event uint32, err error) [failretval==0xffffffff] = kernel32.WaitForMultipleObjectsEx
//sys	queueUserAPC(function uintptr, thread Handle, argument uintptr) (err error) = kernel32.QueueUserAPC
//sys	ntQueryEvent(event Handle, class uint32, info *EventInfo, length uint32, returned *uint32) (ntstatus error) = ntdll.NtQueryEvent
//sys	ntQueryMutant(mutant Handle, class uint32, info unsafe.Pointer, length uint32, returned *uint32) (ntstatus error) = ntdll.NtQueryMutant
//sys	ntQuerySemaphore(semaphore Handle, class uint32, info *SemaphoreInfo, length uint32, returned *uint32) (ntstatus error) = ntdll.NtQuerySemaphore
//sys	ntQueryTimer(timer Handle, class uint32, info *TimerInfo, length uint32, returned *uint32) (ntstatus error) = ntdll.NtQueryTimer
