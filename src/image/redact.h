// SPDX-License-Identifier: Apache-2.0
#pragma once

/* redact: takes secrets out of the URLs in a text, for error messages: presigned blob URLs carry
 * them in their query, and some people write passwords before the host.
 *
 * "https://u:p@cdn/x?sig=abc&n=1" becomes "https://cdn/x?sig=REDACTED&n=REDACTED". */

/* A new text; the caller frees. Any thread. */
char *redact_urls(const char *text);
