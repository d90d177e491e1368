// The bcryptprimitives.dll that Go programs ask for and Wine 8 does not have:
// one export, a source of random bytes.
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID, ULONG); // RtlGenRandom

#define STEP_MAX 0x10000000

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE p, SIZE_T n)
{
	while (n) {
		ULONG step = n > STEP_MAX ? STEP_MAX : (ULONG)n;
		if (!SystemFunction036(p, step))
			return FALSE;
		p += step;
		n -= step;
	}
	return TRUE;
}
