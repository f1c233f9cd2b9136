/*
 * Reading amounts.
 *
 * 1. The whole text is an amount, or none of it.
 * 2. The result depends on the text alone: strtoull() would accept blanks and a sign, and depends
 *    on the locale.
 *
 * Fractions and negative amounts are left out on purpose: no parameter has a use for them.
 */
#include "base/amount.h"

#include <stddef.h>

/* The power of two that a suffix stands for, or -1. */
static int suffix_shift(char suffix)
{
    switch (suffix) {
    case '\0':
        return 0;
    case 'k':
    case 'K':
        return 10;
    case 'm':
    case 'M':
        return 20;
    case 'g':
    case 'G':
        return 30;
    case 't':
    case 'T':
        return 40;
    default:
        return -1;
    }
}

bool mfs_amount_read(const char *text, uint64_t *bytes)
{
    uint64_t value = 0;
    size_t index = 0;
    for (; text[index] >= '0' && text[index] <= '9'; index++) {
        uint64_t digit = (uint64_t)(text[index] - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    int shift = suffix_shift(text[index]);
    if (index == 0 || shift < 0 || (text[index] != '\0' && text[index + 1] != '\0'))
        return false;
    if (value > UINT64_MAX >> shift)
        return false;
    *bytes = value << shift;
    return true;
}

bool mfs_amount_read_switch(const char *text, bool *is_on)
{
    if ((text[0] != '0' && text[0] != '1') || text[1] != '\0')
        return false;
    *is_on = text[0] == '1';
    return true;
}
