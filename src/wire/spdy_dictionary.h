// SPDX-License-Identifier: Apache-2.0
#pragma once

/* spdy_dictionary: what both ends of SPDY/3 give their zlib streams to begin with. */
enum { SPDY_DICTIONARY_LEN = 1423 };

extern const char spdy_dictionary[];
