// SPDX-License-Identifier: BSD-2-Clause
/*
 * views.c - the table of views; see view.h.
 */
#include "view.h"

#define COUNT                                                                  \
	{                                                                      \
		.head = "COUNT", .key = "count", .what = VIEW_COUNT            \
	}
#define FAILED                                                                 \
	{                                                                      \
		.head = "FAILED", .key = "failed", .what = VIEW_FAILED         \
	}
#define OF_FIELD(h, k, w, f, ...)                                              \
	{                                                                      \
		.head = h, .key = k, .what = w, .field = f, __VA_ARGS__        \
	}
#define SUM(h, k, f, ...)    OF_FIELD(h, k, VIEW_SUM, f, __VA_ARGS__)
#define MOST(h, k, f)	     OF_FIELD(h, k, VIEW_MOST, f)
#define QUANTILE(h, k, f, s) OF_FIELD(h, k, VIEW_QUANTILE, f, .share = s)
/* How long it took: groups that took most of it come first. */
#define TIMES(f)                                                               \
	SUM("TIME", "total", f, .order = true),                                \
		OF_FIELD("MEAN", "mean", VIEW_MEAN, f),                        \
		QUANTILE("P50", "p50", f, 0.5),                                \
		QUANTILE("P99", "p99", f, 0.99), MOST("MAX", "max", f)

const struct view_spec views[] = {
	{
		.name = "syscalls",
		.of = {{"syscall_done", "ret", false}},
		.keys = {{.head = "SYSCALL", .key = "name", .field = "name"}},
		.columns =
			{
				COUNT,
				FAILED,
				{.head = "MOSTLY",
				 .key = "error",
				 .what = VIEW_ERROR},
				TIMES("duration"),
			},
	},
	{
		.name = "failures",
		.of = {{"syscall_done", "ret", true}},
		.keys = {{.head = "FAILED CALL",
			  .key = "name",
			  .field = "name"},
			 {.head = "ERROR", .key = "error", .field = "ret"}},
		.columns =
			{
				{.head = "COUNT",
				 .key = "count",
				 .what = VIEW_COUNT,
				 .order = true},
				SUM("TIME", "total", "duration"),
				MOST("MAX", "max", "duration"),
			},
	},
	{
		.name = "block",
		.of = {{"block_io", "error", false}},
		.keys = {{.head = "DISK", .key = "disk", .field = "disk"},
			 {.head = "OP", .key = "op", .field = "op"}},
		.columns =
			{
				COUNT,
				FAILED,
				SUM("BYTES", "bytes", "bytes"),
				TIMES("latency"),
			},
	},
	{
		.name = "peers",
		.of = {{"net_close", "error", false},
		       {"net_connect", "error", true}},
		.by_peer = true,
		.keys = {{.head = "TCP PEER", .key = "peer"},
			 {.head = "PORT", .key = "port", .number = true},
			 {.head = "IT IS", .key = "side"}},
		.columns =
			{
				COUNT,
				FAILED,
				SUM("SENT", "sent", "sent", .order = true),
				SUM("RECEIVED", "received", "received",
				    .order = true),
				SUM("RETRANS", "retransmits", "retransmits"),
				QUANTILE("RTT P50", "rtt_p50", "rtt", 0.5),
				MOST("RTT MAX", "rtt_max", "rtt"),
			},
	},
	{
		.name = "run_queue",
		.of = {{"sched_switch", NULL, false}},
		.keys = {{.head = "WAITED FOR A CPU",
			  .key = "comm",
			  .field = "next_tid"}},
		.columns =
			{
				COUNT,
				TIMES("waited"),
			},
	},
	{
		.name = "ended",
		.of = {{"task_exit", "signal", false}},
		.keys = {{.head = "ENDED", .key = "comm"}},
		.columns =
			{
				COUNT,
				{.head = "KILLED",
				 .key = "killed",
				 .what = VIEW_FAILED},
				SUM("CPU USER", "utime", "utime",
				    .order = true),
				SUM("SYSTEM", "stime", "stime", .order = true),
				MOST("MEMORY", "max_rss", "max_rss"),
				QUANTILE("LASTED P50", "p50", "lifetime", 0.5),
				MOST("MAX", "max", "lifetime"),
			},
	},
	{
		.name = "losses",
		.of = {{"gap", NULL, false}},
		.keys = {{.head = "LOST OF", .key = "source", .field = "of"},
			 {.head = "AT", .key = "stage", .field = "stage"}},
		.columns =
			{
				SUM("EVENTS", "events", "count", .order = true),
				OF_FIELD("FROM", "first", VIEW_LEAST, "first"),
				MOST("TO", "last", "last"),
				{.head = "IN GAPS",
				 .key = "gaps",
				 .what = VIEW_COUNT},
			},
	},
	{0},
};
