// SPDX-License-Identifier: Apache-2.0
#include "cri/labels.h"

#include <cri.pb-c.h>
#include <string.h>

/* What every entry of a map<string, string> looks like. */
typedef Runtime__V1__PodSandboxConfig__LabelsEntry entry;

static bool has(entry *const *labels, size_t n, const entry *wanted)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(labels[i]->key, wanted->key) == 0)
            return strcmp(labels[i]->value, wanted->value) == 0;
    return false;
}

bool labels_match(const void *labels, size_t n_labels, const void *selector, size_t n_selector)
{
    entry *const *wanted = selector;

    for (size_t i = 0; i < n_selector; i++)
        if (!has(labels, n_labels, wanted[i]))
            return false;
    return true;
}
