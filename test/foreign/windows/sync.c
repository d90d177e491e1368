// Does one thing to a named synchronization object, as any Win32 program could:
//
//	sync KIND hold NAME      makes a mutex (and owns it), semaphore, event or
//	                         timer, and keeps it until ENTER; a mutex is never
//	                         released
//	sync mutex single NAME   makes a mutex, does not lock it, and keeps it until
//	                         ENTER, unless it exists: the usual way to be the
//	                         only running instance
//	sync KIND try NAME       waits for it for 100 ms, prints what comes of it,
//	                         and releases it if it is a mutex
//	sync KIND signal NAME    sets an event or a timer, releases a semaphore
#define WIN32_LEAN_AND_MEAN
#include <stdio.h>
#include <wchar.h>
#include <windows.h>

static int fail(const char *what)
{
	printf("%s: error %lu\n", what, GetLastError());
	return 1;
}

static HANDLE make(const wchar_t *kind, const wchar_t *name)
{
	if (wcscmp(kind, L"mutex") == 0)
		return CreateMutexW(NULL, TRUE, name);
	if (wcscmp(kind, L"semaphore") == 0)
		return CreateSemaphoreW(NULL, 0, 5, name);
	if (wcscmp(kind, L"event") == 0)
		return CreateEventW(NULL, FALSE, FALSE, name);
	return CreateWaitableTimerW(NULL, FALSE, name);
}

static HANDLE open(const wchar_t *kind, const wchar_t *name)
{
	if (wcscmp(kind, L"mutex") == 0)
		return OpenMutexW(MUTEX_ALL_ACCESS, FALSE, name);
	if (wcscmp(kind, L"semaphore") == 0)
		return OpenSemaphoreW(SEMAPHORE_ALL_ACCESS, FALSE, name);
	if (wcscmp(kind, L"event") == 0)
		return OpenEventW(EVENT_ALL_ACCESS, FALSE, name);
	return OpenWaitableTimerW(TIMER_ALL_ACCESS, FALSE, name);
}

static int try(const wchar_t *kind, HANDLE object)
{
	DWORD result = WaitForSingleObject(object, 100);
	puts(result == WAIT_OBJECT_0 ? "got" : result == WAIT_ABANDONED ? "abandoned" : "timeout");
	if (result != WAIT_TIMEOUT && wcscmp(kind, L"mutex") == 0 && !ReleaseMutex(object))
		return fail("release");
	return 0;
}

static int signal(const wchar_t *kind, HANDLE object)
{
	LONG previous = 0;
	LARGE_INTEGER now = {.QuadPart = -1};
	BOOL done = wcscmp(kind, L"event") == 0	? SetEvent(object)
		: wcscmp(kind, L"semaphore") == 0 ? ReleaseSemaphore(object, 1, &previous)
						  : SetWaitableTimer(object, &now, 0, NULL, NULL, FALSE);
	if (!done)
		return fail("signal");
	printf("previous %ld\n", previous);
	return 0;
}

static int keep(HANDLE object)
{
	if (object == NULL)
		return fail("make");
	puts("Press ENTER");
	fflush(stdout);
	getchar();
	return 0;
}

static int single(const wchar_t *name)
{
	HANDLE mutex = CreateMutexW(NULL, FALSE, name);
	if (mutex != NULL && GetLastError() == ERROR_ALREADY_EXISTS) {
		puts("runs already");
		return 1;
	}
	return keep(mutex);
}

int wmain(int argc, wchar_t **argv)
{
	if (argc != 4)
		return 2;
	if (wcscmp(argv[2], L"hold") == 0)
		return keep(make(argv[1], argv[3]));
	if (wcscmp(argv[2], L"single") == 0)
		return single(argv[3]);
	HANDLE object = open(argv[1], argv[3]);
	if (object == NULL)
		return fail("open");
	return wcscmp(argv[2], L"try") == 0 ? try(argv[1], object) : signal(argv[1], object);
}
