// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/buf.h"
#include "base/error.h"
#include "net/cidrs.h"

/* cni_template: a CNI configuration written for the pod CIDR that the kubelet tells.
 *
 * The template is text with actions of Go's text/template, of which these are known: {{.PodCIDR}},
 * {{range .PodCIDRRanges}}, {{range .Routes}}, {{range $i, $r := …}}, {{if …}}, {{end}}, {{.}},
 * {{$variable}}, {{$.PodCIDR}} and the dashes that trim. Others are refused by name and line. Any
 * thread. */
enum {
    CNI_TEMPLATE_MAX = 64 * 1024, /* the template, and what comes of it */
    CNI_TEMPLATE_DEPTH_MAX = 8,
    CNI_TEMPLATE_ACTIONS_MAX = 10000, /* that are carried out */
};

/* Appends what comes of the template. ERROR_INVALID and ERROR_EXHAUSTED begin with name and line.
 */
MUST_CHECK int cni_template_render(const char *name, const char *text, const struct cidrs *cidrs,
                                   struct buf *out, struct error *err);

/* Renders the file and, when that is JSON, replaces <conf_dir>/10-berth-net.conflist. */
MUST_CHECK int cni_template_store(const char *path, const char *conf_dir, const struct cidrs *cidrs,
                                  struct error *err);
