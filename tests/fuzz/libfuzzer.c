/* The entry point that clang's libFuzzer calls. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size <= fuzz_target.size_max)
        fuzz_target.take(bytes, size);
    return 0;
}
