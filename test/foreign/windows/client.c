// Opens a file mapping for reading, prints the message in a view of it, and
// waits for ENTER or the end of input.
#include <windows.h>
#include <stdio.h>

#define FULL_MAP_NAME L"Local\\SampleMap"
#define VIEW_OFFSET 0
#define VIEW_SIZE 1024

static int failed(const char *call)
{
	fprintf(stderr, "%s failed with error %lu\n", call, GetLastError());
	return 1;
}

int wmain(int argc, wchar_t **argv)
{
	const wchar_t *name = argc > 1 ? argv[1] : FULL_MAP_NAME;
	HANDLE mapping = OpenFileMappingW(FILE_MAP_READ, FALSE, name);
	if (mapping == NULL)
		return failed("OpenFileMapping");
	printf("The file mapping (%ls) is opened\n", name);

	void *view = MapViewOfFile(mapping, FILE_MAP_READ, 0, VIEW_OFFSET, VIEW_SIZE);
	if (view == NULL)
		return failed("MapViewOfFile");
	printf("The file view is mapped\n");

	printf("Read from the file mapping:\n\"%ls\"\n", (wchar_t *)view);

	printf("Press ENTER to clean up resources and quit\n");
	fflush(stdout);
	getchar();

	UnmapViewOfFile(view);
	CloseHandle(mapping);
	return 0;
}
