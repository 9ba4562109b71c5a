#pragma once

// Names that windows.h and its like take as macros. Whoever includes Weft after them must not
// notice.

// clang-format off
#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))
#define small char
#define hyper long long
#define interface struct
#define near
#define far
#define pascal
#define cdecl
#define IN
#define OUT
#define OPTIONAL
#define CONST const
#define VOID void
#define STRICT 1
#define TRUE 1
#define FALSE 0
#define ERROR 0
#define NO_ERROR 0L
#define NOERROR 0
#define IGNORE 0
#define INFINITE 0xFFFFFFFF
#define DELETE 0x00010000L
#define SYNCHRONIZE 0x00100000L
#define WAIT_TIMEOUT 258L
#define WAIT_ABANDONED 0x00000080L
#define STATUS_TIMEOUT 0x00000102L
#define STILL_ACTIVE 259
#define TIMEOUT 1
#define ABSOLUTE 1
#define RELATIVE 2
#define CALLBACK
#define WINAPI
#define APIENTRY
#define PURE
#define THIS
#define DIFFERENCE 11
#define DOMAIN 1
#define OVERFLOW 3
#define UNDERFLOW 4
#define CREATE_NEW_CONSOLE 0x00000010
#define CREATE_NEW_PROCESS_GROUP 0x00000200
#define CREATE_NO_WINDOW 0x08000000
#define CREATE_BREAKAWAY_FROM_JOB 0x01000000
#define CREATE_DEFAULT_ERROR_MODE 0x04000000
#define DETACHED_PROCESS 0x00000008
#define IDLE_PRIORITY_CLASS 0x00000040
#define HIGH_PRIORITY_CLASS 0x00000080
#define NORMAL_PRIORITY_CLASS 0x00000020
#define REALTIME_PRIORITY_CLASS 0x00000100
#define ABOVE_NORMAL_PRIORITY_CLASS 0x00008000
#define BELOW_NORMAL_PRIORITY_CLASS 0x00004000
#define STARTF_USESTDHANDLES 0x00000100
#define STARTF_USESHOWWINDOW 0x00000001
#define STD_INPUT_HANDLE ((unsigned)-10)
#define STD_OUTPUT_HANDLE ((unsigned)-11)
#define STD_ERROR_HANDLE ((unsigned)-12)
#define SW_HIDE 0
#define STARTUPINFO STARTUPINFOW
#define CreateEvent CreateEventW
#define CreateFile CreateFileW
#define CreateMutex CreateMutexW
#define CreateNamedPipe CreateNamedPipeW
#define CreateProcess CreateProcessW
#define CreateSemaphore CreateSemaphoreW
#define FormatMessage FormatMessageW
#define GetCommandLine GetCommandLineW
#define GetCurrentTime() GetTickCount()
#define GetEnvironmentStrings GetEnvironmentStringsW
#define GetMessage GetMessageW
#define GetObject GetObjectW
#define LoadLibrary LoadLibraryW
#define ReportEvent ReportEventW
#define SendMessage SendMessageW
#define SetEvent SetEventW
#define Yield()
// clang-format on
