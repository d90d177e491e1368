// Creates a file mapping, writes a message to a view of it, and waits for
// ENTER or the end of input: what programs for Windows do that share memory.
#include <windows.h>
#include <stdio.h>

#define FULL_MAP_NAME L"Local\\SampleMap"
#define MAP_SIZE 65536
#define VIEW_OFFSET 0
#define VIEW_SIZE 1024
#define MESSAGE L"Message from the first process."

static int failed(const char *call)
{
	fprintf(stderr, "%s failed with error %lu\n", call, GetLastError());
	return 1;
}

int wmain(int argc, wchar_t **argv)
{
	const wchar_t *name = argc > 1 ? argv[1] : FULL_MAP_NAME;
	HANDLE mapping = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE,
		0, MAP_SIZE, name);
	if (mapping == NULL)
		return failed("CreateFileMapping");
	printf("The file mapping (%ls) is created\n", name);

	void *view = MapViewOfFile(mapping, FILE_MAP_ALL_ACCESS, 0, VIEW_OFFSET, VIEW_SIZE);
	if (view == NULL)
		return failed("MapViewOfFile");
	printf("The file view is mapped\n");

	memcpy(view, MESSAGE, sizeof MESSAGE);
	printf("This message is written to the view:\n\"%ls\"\n", MESSAGE);

	printf("Press ENTER to clean up resources and quit\n");
	fflush(stdout);
	getchar();

	UnmapViewOfFile(view);
	CloseHandle(mapping);
	return 0;
}
