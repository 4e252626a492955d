/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metrics.h - how a running recorder is, for Prometheus: the same facts as
 * `weir status --json`.
 *
 * Text exposition format, version 0.0.4
 * (prometheus.io/docs/instrumenting/exposition_formats). A metric is one row
 * of a table. Counters never go back while it runs; units are seconds and
 * bytes.
 * Thread: the control thread.
 */
#ifndef WEIR_METRICS_H
#define WEIR_METRICS_H

#include "health.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/**
 * metrics_text - append all of them, as of now
 *
 * Names begin with weir_. Text in labels is escaped as the format asks; a byte
 * that is no UTF-8 is a ?. Errors: see buf_err().
 */
void metrics_text(struct buf *b, const struct health *h);

#endif
