// SPDX-License-Identifier: Apache-2.0
#include "imaged/sha.h"

#include <assert.h>
#include <openssl/evp.h>
#include <string.h>

struct sha {
    enum digest_algorithm algorithm;
    EVP_MD_CTX *context;
};

/* libcrypto fails here only without memory or without its built-in algorithms. */
struct sha *sha_new(enum digest_algorithm algorithm)
{
    struct sha *s = xcalloc(1, sizeof *s);
    const EVP_MD *md = algorithm == DIGEST_SHA256   ? EVP_sha256()
                       : algorithm == DIGEST_SHA384 ? EVP_sha384()
                                                    : EVP_sha512();
    int ok;

    s->algorithm = algorithm;
    s->context = EVP_MD_CTX_new();
    ok = s->context && EVP_DigestInit_ex(s->context, md, NULL);
    assert(ok);
    return s;
}

void sha_free(struct sha *s)
{
    if (!s)
        return;
    EVP_MD_CTX_free(s->context);
    free(s);
}

void sha_add(struct sha *s, const void *data, size_t len)
{
    int ok = EVP_DigestUpdate(s->context, data, len);

    assert(ok);
}

void sha_finish(struct sha *s, char out[static DIGEST_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    int ok = EVP_DigestFinal_ex(s->context, bytes, &len);
    char *at = out;

    assert(ok && 2 * len <= DIGEST_HEX_MAX);
    at += snprintf(at, DIGEST_SIZE, "%s:", digest_algorithm_name(s->algorithm));
    for (unsigned i = 0; i < len; i++) {
        *at++ = hex[bytes[i] >> 4];
        *at++ = hex[bytes[i] & 15];
    }
    *at = '\0';
}

void sha_of(enum digest_algorithm algorithm, const void *data, size_t len,
            char out[static DIGEST_SIZE])
{
    AUTO(sha) *s = sha_new(algorithm);

    sha_add(s, data, len);
    sha_finish(s, out);
}

int sha_verify(const char *digest, const void *data, size_t len, struct error *err)
{
    char real[DIGEST_SIZE];

    sha_of(digest_algorithm_of(digest), data, len, real);
    if (strcmp(real, digest) != 0)
        return error_set(err, ERROR_PRECONDITION, "%s is stated, the bytes have %s", digest, real);
    return 0;
}
