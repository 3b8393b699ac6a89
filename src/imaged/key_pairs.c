// SPDX-License-Identifier: Apache-2.0
#include "imaged/key_pairs.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"

enum { PEM_BYTES_MAX = 1 << 20 };

struct pair {
    X509 *cert;
    STACK_OF(X509) * issuers;
    EVP_PKEY *key;
};

struct key_pairs {
    struct pair *items;
    size_t len;
};

void key_pairs_free(struct key_pairs *k)
{
    if (!k)
        return;
    for (size_t i = 0; i < k->len; i++) {
        X509_free(k->items[i].cert);
        sk_X509_pop_free(k->items[i].issuers, X509_free);
        EVP_PKEY_free(k->items[i].key);
    }
    free(k->items);
    free(k);
}

/* There is nobody to ask. */
static int no_passphrase(char *room, int size, int writing, void *data)
{
    (void)room;
    (void)size;
    (void)writing;
    (void)data;
    return -1;
}

static BIO *open_text(const char *path, struct buf *text, struct error *err)
{
    BIO *bio;

    if (file_load(AT_FDCWD, path, text, err) < 0)
        return NULL;
    bio = BIO_new_mem_buf(text->data ? text->data : "", (int)text->len);
    if (!bio)
        abort();
    return bio;
}

static int load_cert(struct pair *p, const char *path, struct error *err)
{
    AUTO_FINI(buf) text = BUF(PEM_BYTES_MAX);
    BIO *bio = open_text(path, &text, err);
    X509 *issuer;

    if (!bio)
        return -1;
    p->cert = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
    p->issuers = sk_X509_new_null();
    while (p->cert && (issuer = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)))
        if (sk_X509_push(p->issuers, issuer) <= 0)
            abort();
    BIO_free(bio);
    ERR_clear_error();
    return p->cert ? 0 : error_set(err, ERROR_INVALID, "%s has no certificate in it", path);
}

static int load_key(struct pair *p, const char *path, struct error *err)
{
    AUTO_FINI(buf) text = BUF(PEM_BYTES_MAX);
    BIO *bio = open_text(path, &text, err);

    if (!bio)
        return -1;
    p->key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    BIO_free(bio);
    if (text.data)
        explicit_bzero(text.data, text.len);
    ERR_clear_error();
    return p->key ? 0
                  : error_set(err, ERROR_INVALID,
                              "%s has no private key in it, or one with a passphrase", path);
}

static int load_pair(struct pair *p, const char *cert, const char *key, struct error *err)
{
    if (load_cert(p, cert, err) < 0 || load_key(p, *key ? key : cert, err) < 0)
        return -1;
    if (X509_check_private_key(p->cert, p->key) == 1)
        return 0;
    ERR_clear_error();
    return error_set(err, ERROR_INVALID, "%s is not for the key in %s", cert, *key ? key : cert);
}

struct key_pairs *key_pairs_load(const struct strv *certs, const struct strv *keys,
                                 struct error *err)
{
    AUTO(key_pairs) *k = xcalloc(1, sizeof *k);

    k->items = xcalloc(certs->len + 1, sizeof *k->items);
    for (size_t i = 0; i < certs->len; i++) {
        k->len++;
        if (load_pair(&k->items[i], certs->items[i], keys->items[i], err) < 0) {
            error_wrap(err, "client certificate");
            return NULL;
        }
    }
    return TAKE(k);
}

/* --- choosing --- */

static bool is_named(const STACK_OF(X509_NAME) * names, const X509_NAME *issuer)
{
    for (int i = 0; i < sk_X509_NAME_num(names); i++)
        if (X509_NAME_cmp(sk_X509_NAME_value(names, i), issuer) == 0)
            return true;
    return false;
}

static bool is_issued_by(const struct pair *p, const STACK_OF(X509_NAME) * names)
{
    if (sk_X509_NAME_num(names) <= 0 || is_named(names, X509_get_issuer_name(p->cert)))
        return true;
    for (int i = 0; i < sk_X509_num(p->issuers); i++)
        if (is_named(names, X509_get_issuer_name(sk_X509_value(p->issuers, i))))
            return true;
    return false;
}

/* What the server can verify signatures of. */
static bool takes_key(SSL *ssl, EVP_PKEY *key)
{
    int n = SSL_get_sigalgs(ssl, 0, NULL, NULL, NULL, NULL, NULL), kind = 0;

    for (int i = 0; i < n; i++)
        if (SSL_get_sigalgs(ssl, i, &kind, NULL, NULL, NULL, NULL) > 0 &&
            (kind == EVP_PKEY_get_base_id(key) ||
             (kind == EVP_PKEY_RSA_PSS && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA)))
            return true;
    return n <= 0;
}

static int choose(SSL *ssl, void *data)
{
    const struct key_pairs *k = data;
    const STACK_OF(X509_NAME) *names = SSL_get0_peer_CA_list(ssl);
    const struct pair *chosen = &k->items[0];

    for (size_t i = k->len; i-- > 0;)
        if (is_issued_by(&k->items[i], names) && takes_key(ssl, k->items[i].key))
            chosen = &k->items[i];
    return SSL_use_cert_and_key(ssl, chosen->cert, chosen->key, chosen->issuers, 1);
}

void key_pairs_offer(void *ssl_ctx, struct key_pairs *k)
{
    SSL_CTX_set_cert_cb(ssl_ctx, choose, k);
}
