// Does one thing to a named job, as any Win32 program could:
//
//	job hold NAME CODE  makes a job that ends with its last handle, starts a member,
//	                    prints its number, and keeps both until ENTER; fails unless
//	                    the member has ended with the exit code by then
//	job list NAME       prints the numbers of the members
//	job end NAME CODE   ends the members with an exit code
//	job idle            is a member
#define WIN32_LEAN_AND_MEAN
#include <stdio.h>
#include <wchar.h>
#include <windows.h>

static int fail(const char *what)
{
	printf("%s: error %lu\n", what, GetLastError());
	return 1;
}

static BOOL start_member(HANDLE job, PROCESS_INFORMATION *member)
{
	wchar_t path[MAX_PATH], line[MAX_PATH + 16];
	STARTUPINFOW info = {.cb = sizeof(info)};
	if (GetModuleFileNameW(NULL, path, MAX_PATH) == 0)
		return FALSE;
	swprintf(line, MAX_PATH + 16, L"\"%ls\" idle", path);
	return CreateProcessW(path, line, NULL, NULL, FALSE, CREATE_SUSPENDED, NULL, NULL, &info, member) &&
	       AssignProcessToJobObject(job, member->hProcess) && ResumeThread(member->hThread) != (DWORD)-1;
}

static int hold(const wchar_t *name, DWORD wanted)
{
	JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
	PROCESS_INFORMATION member;
	DWORD code;
	HANDLE job = CreateJobObjectW(NULL, name);
	limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
	if (job == NULL || GetLastError() == ERROR_ALREADY_EXISTS ||
	    !SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof(limits)))
		return fail("make");
	if (!start_member(job, &member))
		return fail("start");
	printf("%lu\nPress ENTER\n", member.dwProcessId);
	fflush(stdout);
	getchar();
	return !GetExitCodeProcess(member.hProcess, &code) || code != wanted;
}

static int list(HANDLE job)
{
	struct {
		JOBOBJECT_BASIC_PROCESS_ID_LIST head;
		ULONG_PTR more[100];
	} members;
	if (!QueryInformationJobObject(job, JobObjectBasicProcessIdList, &members, sizeof(members), NULL))
		return fail("list");
	for (DWORD i = 0; i < members.head.NumberOfProcessIdsInList; i++)
		printf("%lu\n", (DWORD)members.head.ProcessIdList[i]);
	return 0;
}

static int end(HANDLE job, UINT code)
{
	if (!TerminateJobObject(job, code))
		return fail("end");
	puts("ended");
	return 0;
}

int wmain(int argc, wchar_t **argv)
{
	if (argc == 2 && wcscmp(argv[1], L"idle") == 0) {
		Sleep(60 * 1000);
		return 0;
	}
	if (argc < 3)
		return 2;
	DWORD code = argc > 3 ? wcstoul(argv[3], NULL, 10) : 0;
	if (wcscmp(argv[1], L"hold") == 0)
		return hold(argv[2], code);
	HANDLE job = OpenJobObjectW(JOB_OBJECT_QUERY | JOB_OBJECT_TERMINATE, FALSE, argv[2]);
	if (job == NULL)
		return fail("open");
	return wcscmp(argv[1], L"list") == 0 ? list(job) : end(job, code);
}
