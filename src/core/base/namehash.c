/*
 * SipHash (Aumasson and Bernstein, 2012) with one round for each word of eight bytes and three
 * rounds at the end, folded to 32 bits.
 *
 * Words are read with their lowest byte first on every machine, so that the length, which lies in
 * the highest byte of the last word, never falls upon a byte of the name.
 *
 * Cost: about two dozen operations a word; reading one is a load where the machine does the same.
 */
#include "base/namehash.h"

#include "base/check.h"

struct sip {
    uint64_t a, b, c, d;
};

static uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static void sip_round(struct sip *s)
{
    s->a += s->b;
    s->c += s->d;
    s->b = rotate(s->b, 13) ^ s->a;
    s->d = rotate(s->d, 16) ^ s->c;
    s->a = rotate(s->a, 32);
    s->c += s->b;
    s->a += s->d;
    s->b = rotate(s->b, 17) ^ s->c;
    s->d = rotate(s->d, 21) ^ s->a;
    s->c = rotate(s->c, 32);
}

static void sip_word(struct sip *s, uint64_t word)
{
    s->d ^= word;
    sip_round(s);
    s->a ^= word;
}

/* `count` bytes, at most eight, the first of them the lowest. */
static uint64_t read_low_first(const char *bytes, size_t count)
{
    uint64_t word = 0;
    for (size_t i = 0; i < count; i++)
        word |= (uint64_t)(unsigned char)bytes[i] << 8 * i;
    return word;
}

uint32_t mfs_namehash(const uint64_t key[2], const char *name, size_t length)
{
    MFS_CHECK(name != NULL || length == 0);
    struct sip s = {
        key[0] ^ 0x736f6d6570736575u,
        key[1] ^ 0x646f72616e646f6du,
        key[0] ^ 0x6c7967656e657261u,
        key[1] ^ 0x7465646279746573u,
    };
    size_t left = length;
    for (; left >= 8; left -= 8, name += 8)
        sip_word(&s, read_low_first(name, 8));
    sip_word(&s, read_low_first(name, left) | (uint64_t)length << 56);
    s.c ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(&s);
    uint64_t hash = s.a ^ s.b ^ s.c ^ s.d;
    return (uint32_t)(hash ^ hash >> 32);
}
