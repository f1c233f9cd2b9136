/* What MEMFS_API stands for, under the name DECLARATION, as on Windows if AS_ON_WINDOWS. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef AS_ON_WINDOWS
#define _WIN32 1
#define __declspec(kind) /* while the header's declarations are read */
#endif

#include <memfs/memfs.h>

#undef __declspec
#define TEXT(...) #__VA_ARGS__
#define EXPANDED(...) TEXT(__VA_ARGS__)

extern const char *const DECLARATION;
const char *const DECLARATION = EXPANDED(MEMFS_API);
