// SPDX-License-Identifier: BSD-2-Clause
/*
 * views.c - the table of views; see view.h.
 */
#include "view.h"

const struct view_spec views[] = {
	{
		.name = "syscalls",
		.of = {{"syscall_done", "ret", false}},
		.keys = {{"SYSCALL", "name", "name"}},
		.columns =
			{
				{"COUNT", "count", VIEW_COUNT},
				{"FAILED", "failed", VIEW_FAILED},
				{"MOSTLY", "error", VIEW_ERROR},
				{"TIME", "total", VIEW_SUM, "duration",
				 .order = true},
				{"MEAN", "mean", VIEW_MEAN, "duration"},
				{"P50", "p50", VIEW_QUANTILE, "duration", 0.5},
				{"P99", "p99", VIEW_QUANTILE, "duration", 0.99},
				{"MAX", "max", VIEW_MOST, "duration"},
			},
	},
	{
		.name = "failures",
		.of = {{"syscall_done", "ret", true}},
		.keys = {{"FAILED CALL", "name", "name"},
			 {"ERROR", "error", "ret"}},
		.columns =
			{
				{"COUNT", "count", VIEW_COUNT, .order = true},
				{"TIME", "total", VIEW_SUM, "duration"},
				{"MAX", "max", VIEW_MOST, "duration"},
			},
	},
	{
		.name = "block",
		.of = {{"block_io", "error", false}},
		.keys = {{"DISK", "disk", "disk"}, {"OP", "op", "op"}},
		.columns =
			{
				{"COUNT", "count", VIEW_COUNT},
				{"FAILED", "failed", VIEW_FAILED},
				{"BYTES", "bytes", VIEW_SUM, "bytes"},
				{"TIME", "total", VIEW_SUM, "latency",
				 .order = true},
				{"MEAN", "mean", VIEW_MEAN, "latency"},
				{"P50", "p50", VIEW_QUANTILE, "latency", 0.5},
				{"P99", "p99", VIEW_QUANTILE, "latency", 0.99},
				{"MAX", "max", VIEW_MOST, "latency"},
			},
	},
	{
		.name = "peers",
		.of = {{"net_close", "error", false},
		       {"net_connect", "error", true}},
		.by_peer = true,
		.keys = {{"TCP PEER", "peer"},
			 {"PORT", "port", .number = true},
			 {"IT IS", "side"}},
		.columns =
			{
				{"COUNT", "count", VIEW_COUNT},
				{"FAILED", "failed", VIEW_FAILED},
				{"SENT", "sent", VIEW_SUM, "sent",
				 .order = true},
				{"RECEIVED", "received", VIEW_SUM, "received",
				 .order = true},
				{"RETRANS", "retransmits", VIEW_SUM,
				 "retransmits"},
				{"RTT P50", "rtt_p50", VIEW_QUANTILE, "rtt",
				 0.5},
				{"RTT MAX", "rtt_max", VIEW_MOST, "rtt"},
			},
	},
	{
		.name = "run_queue",
		.of = {{"sched_switch", NULL, false}},
		.keys = {{"WAITED FOR A CPU", "comm", "next_tid"}},
		.columns =
			{
				{"COUNT", "count", VIEW_COUNT},
				{"TIME", "total", VIEW_SUM, "waited",
				 .order = true},
				{"MEAN", "mean", VIEW_MEAN, "waited"},
				{"P50", "p50", VIEW_QUANTILE, "waited", 0.5},
				{"P99", "p99", VIEW_QUANTILE, "waited", 0.99},
				{"MAX", "max", VIEW_MOST, "waited"},
			},
	},
	{
		.name = "losses",
		.of = {{"gap", NULL, false}},
		.keys = {{"LOST OF", "source", "of"}, {"AT", "stage", "stage"}},
		.columns =
			{
				{"EVENTS", "events", VIEW_SUM, "count",
				 .order = true},
				{"FROM", "first", VIEW_LEAST, "first"},
				{"TO", "last", VIEW_MOST, "last"},
				{"IN GAPS", "gaps", VIEW_COUNT},
			},
	},
	{0},
};
