// SPDX-License-Identifier: Apache-2.0
#include "tls/self_signed.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <limits.h>
#include <openssl/ec.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "base/buf.h"
#include "base/own.h"
#include "tls/tls_error.h"

enum { NAMES_MAX = 64 * 1024, SERIAL_BYTES = 16, DAY_S = 24 * 3600 };

static int add_name(struct buf *names, const char *kind, const char *name, struct error *err)
{
    return buf_printf(names, err, "%s%s:%s", names->len ? "," : "", kind, name);
}

static int add_address(struct buf *names, const struct sockaddr *address, struct error *err)
{
    const void *at = NULL;
    char text[INET6_ADDRSTRLEN];

    if (address && address->sa_family == AF_INET)
        at = &((const struct sockaddr_in *)address)->sin_addr;
    if (address && address->sa_family == AF_INET6)
        at = &((const struct sockaddr_in6 *)address)->sin6_addr;
    if (!at || !inet_ntop(address->sa_family, at, text, sizeof text))
        return 0;
    return add_name(names, "IP", text, err);
}

/* "DNS:node1,DNS:localhost,IP:127.0.0.1,..." */
static int collect_names(struct buf *names, const char *host, struct error *err)
{
    struct ifaddrs *all = NULL;
    int outcome = 0;

    if ((*host && add_name(names, "DNS", host, err) < 0) ||
        add_name(names, "DNS", "localhost", err) < 0)
        return -1;
    if (getifaddrs(&all) < 0)
        return 0; /* without its addresses, then */
    for (const struct ifaddrs *one = all; one && outcome == 0; one = one->ifa_next)
        outcome = add_address(names, one->ifa_addr, err);
    freeifaddrs(all);
    return outcome;
}

static int add_extension(X509 *cert, int nid, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;
    int ok;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, cert, cert, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    ok = extension && X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
    return ok;
}

static int set_serial(X509 *cert)
{
    unsigned char bytes[SERIAL_BYTES];
    BIGNUM *number;
    int ok;

    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return 0;
    bytes[0] &= 0x7f;
    number = BN_bin2bn(bytes, sizeof bytes, NULL);
    ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
    BN_free(number);
    return ok;
}

static int set_subject(X509 *cert, const char *host)
{
    X509_NAME *name = X509_get_subject_name(cert);
    const char *text = *host ? host : "berth";

    return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)text, -1,
                                      -1, 0) &&
           X509_set_issuer_name(cert, name);
}

/* An hour back, for clocks that are not quite the same. */
static int fill_in(X509 *cert, EVP_PKEY *key, const char *host, const char *names)
{
    return X509_set_version(cert, X509_VERSION_3) && set_serial(cert) && set_subject(cert, host) &&
           X509_gmtime_adj(X509_getm_notBefore(cert), -3600) &&
           X509_gmtime_adj(X509_getm_notAfter(cert), (long)SELF_SIGNED_DAYS * DAY_S) &&
           X509_set_pubkey(cert, key) &&
           add_extension(cert, NID_basic_constraints, "critical,CA:TRUE") &&
           add_extension(cert, NID_key_usage, "critical,digitalSignature,keyCertSign") &&
           add_extension(cert, NID_ext_key_usage, "serverAuth") &&
           add_extension(cert, NID_subject_alt_name, names) && X509_sign(cert, key, EVP_sha256());
}

int self_signed_use(SSL_CTX *context, struct error *err)
{
    AUTO_FINI(buf) names = BUF(NAMES_MAX);
    char host[HOST_NAME_MAX + 1] = "";
    EVP_PKEY *key;
    X509 *cert;
    int ok;

    /* A subject has at most 64 bytes. */
    if (gethostname(host, sizeof host) < 0 || strnlen(host, sizeof host) > 64)
        *host = '\0';
    if (collect_names(&names, host, err) < 0)
        return -1;
    key = EVP_EC_gen("P-256");
    cert = X509_new();
    ok = key && cert && fill_in(cert, key, host, names.data) &&
         SSL_CTX_use_certificate(context, cert) == 1 && SSL_CTX_use_PrivateKey(context, key) == 1;
    X509_free(cert);
    EVP_PKEY_free(key);
    return ok ? 0 : tls_error_set(err, "make a certificate");
}
