// Uses objects that its parent has it inherit:
//
//	inherit MAPPING MUTEX HERE YON LOCKED    values of handles, in decimal
//
// It locks the mutex, stores 9 at offset 8 of the mapping, sets the event YON,
// waits for HERE and checks that the parent has stored 1 at offset 0. Then it
// locks the mutex again, sets LOCKED, and waits to be killed.
#define WIN32_LEAN_AND_MEAN
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
#include <windows.h>

static int fail(const char *what)
{
	fprintf(stderr, "%s: error %lu\n", what, GetLastError());
	return 1;
}

static HANDLE handle(const wchar_t *text)
{
	return (HANDLE)(ULONG_PTR)wcstoull(text, NULL, 10);
}

int wmain(int argc, wchar_t **argv)
{
	if (argc != 6)
		return 2;
	HANDLE mapping = handle(argv[1]), mutex = handle(argv[2]);
	HANDLE here = handle(argv[3]), yon = handle(argv[4]), locked = handle(argv[5]);
	volatile LONG64 *words = MapViewOfFile(mapping, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, 0);
	if (words == NULL)
		return fail("MapViewOfFile");
	if (WaitForSingleObject(mutex, 20000) != WAIT_OBJECT_0)
		return fail("the mutex");
	words[1] = 9;
	if (!ReleaseMutex(mutex) || !SetEvent(yon))
		return fail("ReleaseMutex, SetEvent");
	if (WaitForSingleObject(here, 20000) != WAIT_OBJECT_0)
		return fail("the parent's event");
	if (words[0] != 1)
		return fail("the parent's word");
	if (WaitForSingleObject(mutex, 20000) != WAIT_OBJECT_0)
		return fail("the mutex again");
	if (!SetEvent(locked))
		return fail("SetEvent");
	Sleep(60000);
	return fail("nobody killed the child");
}
