// Makes a named object that grants its user just some rights, and keeps it until
// ENTER, as any Win32 program could:
//
//	grant KIND NAME RIGHTS   a mutex, semaphore, event, timer or mapping
//	grant job NAME 0         a job, with the system's default rights
//
// Wine lets the owner of an object wait for it whatever it grants, so the object
// becomes another user's where the system permits that.
#define WIN32_LEAN_AND_MEAN
#include <stdio.h>
#include <wchar.h>
#include <windows.h>
#include <sddl.h>

static HANDLE make(const wchar_t *kind, const wchar_t *name)
{
	if (wcscmp(kind, L"mutex") == 0)
		return CreateMutexW(NULL, FALSE, name);
	if (wcscmp(kind, L"semaphore") == 0)
		return CreateSemaphoreW(NULL, 1, 5, name);
	if (wcscmp(kind, L"event") == 0)
		return CreateEventW(NULL, FALSE, FALSE, name);
	if (wcscmp(kind, L"timer") == 0)
		return CreateWaitableTimerW(NULL, FALSE, name);
	if (wcscmp(kind, L"job") == 0)
		return CreateJobObjectW(NULL, name);
	return CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 4096, name);
}

// restrict_to has the object grant everybody the rights, in hexadecimal.
static BOOL restrict_to(HANDLE object, const wchar_t *rights)
{
	wchar_t sddl[100];
	PSECURITY_DESCRIPTOR descriptor;
	const wchar_t *entry = wcscmp(rights, L"0") == 0 ? L"" : L"(A;;0x%ls;;;WD)";
	wcscpy(sddl, L"O:S-1-5-21-0-0-0-4711D:");
	swprintf(sddl + wcslen(sddl), 50, entry, rights);
	if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(sddl, SDDL_REVISION_1, &descriptor, NULL))
		return FALSE;
	SetKernelObjectSecurity(object, OWNER_SECURITY_INFORMATION, descriptor);
	return SetKernelObjectSecurity(object, DACL_SECURITY_INFORMATION, descriptor);
}

int wmain(int argc, wchar_t **argv)
{
	if (argc != 4)
		return 2;
	HANDLE object = make(argv[1], argv[2]);
	if (!object || (wcscmp(argv[1], L"job") != 0 && !restrict_to(object, argv[3]))) {
		printf("error %lu\n", GetLastError());
		return 1;
	}
	puts("Press ENTER to clean up resources and quit");
	fflush(stdout);
	getchar();
	CloseHandle(object);
	return 0;
}
