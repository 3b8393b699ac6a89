// SPDX-License-Identifier: Apache-2.0
#include "tls/certificate.h"

#include <openssl/x509.h>

#include "base/identity.h"
#include "base/log.h"
#include "tls/self_signed.h"
#include "tls/tls_error.h"

enum { CERT, KEY, CLIENT_CA, FILES, RENEW_S = 30 * 24 * 3600 };

struct certificate {
    struct certificate_options options;
    SSL_CTX *context;
    struct identity seen[FILES]; /* when they were last tried; all zero: none */
};

/* --- from files to a context --- */

/* Nobody is there to type a passphrase. */
static int no_passphrase(char *buffer, int size, int writing, void *data)
{
    bool *asked = data;

    (void)buffer;
    (void)size;
    (void)writing;
    *asked = true;
    return -1;
}

static void warn_of_dates(SSL_CTX *context, const char *file)
{
    const X509 *cert = SSL_CTX_get0_certificate(context);

    if (cert && X509_cmp_current_time(X509_get0_notAfter(cert)) < 0)
        log_warn("streaming: the certificate in %s has expired", file);
    if (cert && X509_cmp_current_time(X509_get0_notBefore(cert)) > 0)
        log_warn("streaming: the certificate in %s is not valid yet", file);
}

static int use_files(SSL_CTX *context, const struct certificate_options *o, struct error *err)
{
    bool asked = false;
    int rc;

    if (SSL_CTX_use_certificate_chain_file(context, o->cert_file) != 1)
        return tls_error_set(err, "read the certificate %s", o->cert_file);
    SSL_CTX_set_default_passwd_cb(context, no_passphrase);
    SSL_CTX_set_default_passwd_cb_userdata(context, &asked);
    rc = SSL_CTX_use_PrivateKey_file(context, o->key_file, SSL_FILETYPE_PEM);
    SSL_CTX_set_default_passwd_cb(context, NULL);
    if (asked)
        return error_set(err, ERROR_INVALID, "the key %s has a passphrase", o->key_file);
    if (rc != 1)
        return tls_error_set(err, "use the key %s with the certificate %s", o->key_file,
                             o->cert_file);
    if (SSL_CTX_check_private_key(context) != 1)
        return tls_error_set(err, "the key %s is not that of the certificate %s", o->key_file,
                             o->cert_file);
    warn_of_dates(context, o->cert_file);
    return 0;
}

static int ask_for_certificates(SSL_CTX *context, const char *file, struct error *err)
{
    STACK_OF(X509_NAME) * names;

    if (SSL_CTX_load_verify_file(context, file) != 1)
        return tls_error_set(err, "read the CA of clients %s", file);
    names = SSL_load_client_CA_file(file);
    if (!names)
        return tls_error_set(err, "read the CA of clients %s", file);
    SSL_CTX_set_client_CA_list(context, names);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return 0;
}

/* Sessions are few and long, so none is resumed: every client shows its certificate itself. */
static int set_up(SSL_CTX *context, const struct certificate_options *o, struct error *err)
{
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS);
    if (SSL_CTX_set_min_proto_version(context, o->min_version) != 1)
        return tls_error_set(err, "set the lowest version of TLS");
    if ((*o->cert_file ? use_files(context, o, err) : self_signed_use(context, err)) < 0)
        return -1;
    return *o->client_ca ? ask_for_certificates(context, o->client_ca, err) : 0;
}

static SSL_CTX *load(const struct certificate_options *o, struct error *err)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    if (!context) {
        tls_error_set(err, "start OpenSSL");
        return NULL;
    }
    if (set_up(context, o, err) == 0)
        return context;
    SSL_CTX_free(context);
    return NULL;
}

/* --- changes --- */

static void look(const struct certificate_options *o, struct identity out[FILES])
{
    const char *files[FILES] = {o->cert_file, o->key_file, o->client_ca};
    struct error ignored;

    for (size_t i = 0; i < FILES; i++)
        if (!*files[i] || identity_of_path(files[i], &out[i], &ignored) < 0)
            out[i] = (struct identity){0};
}

static bool has_changed(struct certificate *c)
{
    struct identity now[FILES];
    bool changed = false;

    look(&c->options, now);
    for (size_t i = 0; i < FILES; i++) {
        changed |= !identity_equals(&now[i], &c->seen[i]);
        c->seen[i] = now[i];
    }
    return changed;
}

static bool expires_soon(const struct certificate *c)
{
    time_t then = time(NULL) + RENEW_S;

    return !*c->options.cert_file &&
           X509_cmp_time(X509_get0_notAfter(SSL_CTX_get0_certificate(c->context)), &then) < 0;
}

static void refresh(struct certificate *c)
{
    SSL_CTX *context;
    struct error err;

    if (!has_changed(c) && !expires_soon(c))
        return;
    context = load(&c->options, &err);
    if (!context) {
        log_warn("streaming: the certificate of before stays in use: %s", err.text);
        return;
    }
    SSL_CTX_free(c->context);
    c->context = context;
    log_info("streaming: the certificate was renewed");
}

/* --- verbs --- */

struct certificate *certificate_new(const struct certificate_options *options, struct error *err)
{
    AUTO(certificate) *c = xcalloc(1, sizeof *c);

    c->options = *options;
    look(options, c->seen); /* before they are read: what changes meanwhile shows later */
    c->context = load(options, err);
    return c->context ? TAKE(c) : NULL;
}

void certificate_free(struct certificate *c)
{
    if (!c)
        return;
    SSL_CTX_free(c->context);
    free(c);
}

SSL *certificate_new_ssl(struct certificate *c, struct error *err)
{
    SSL *ssl;

    refresh(c);
    ssl = SSL_new(c->context);
    if (!ssl)
        tls_error_set(err, "make a TLS session");
    return ssl;
}
