/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * syscalls.h - the system calls of x86-64: number, name, what each argument
 * is, and why weir keeps the call by default.
 *
 * One row a call, X(number, name, signature, class), in the order of numbers.
 * A number never changes its meaning, so a row is never renumbered or removed:
 * calls that left the kernel stay, because older kernels still have them. The
 * rows are for the 64-bit ABI only; 32-bit calls use other numbers, and x32
 * ones set bit 30.
 *
 * Source: numbers and names are those of arch/x86/entry/syscalls/syscall_64.tbl
 * up to Linux 7.3; the arguments are those of SYSCALL_DEFINEn(), as tracefs
 * shows them in events/syscalls/sys_enter_<call>/format (6.18 and 7.3).
 *
 * To extend: append the new rows of that file, with one letter for every
 * argument that format file lists; a user string is "s" or "S", a length is
 * "z". An argument that only newer kernels have (the 4th of bpf, 7.x) is left
 * out: in older ones its register holds anything. tests/unit/syscalls_test.c
 * checks the result.
 *
 * Included by BPF programs and by user space; it needs no other header. Use
 * the name with # or ## only: libc may define a macro of that name (stat).
 */
#ifndef WEIR_SYSCALLS_H
#define WEIR_SYSCALLS_H

/*
 * Signature: one letter an argument, at most 6, so that char[8] holds it.
 *
 *   f  file descriptor
 *   D  directory descriptor or AT_FDCWD; the next s is relative to it
 *   s  path: NUL-terminated, names a file; relative to the working directory
 *      if no D stands before it. Also text that is a path most of the time:
 *      the target of a symlink, the source of a mount
 *   S  other NUL-terminated string
 *   a  sockaddr *; "az": given by the caller, with its length in bytes;
 *      "ap": filled in by the kernel, known at exit only
 *   p  any other address or user buffer
 *   i  signed int: command, index, timeout, key serial number
 *   l  signed 64-bit: file offset, message type
 *   u  unsigned number
 *   x  flags and other bits without a decoder, shown as hex
 *   o  open flags, O_*
 *   m  file mode, octal; of an open only if it can create the file
 *   z  size or count; of bytes, elements or pages
 *   t  process, thread or group id; 0 and negative ones have a meaning
 *   g  signal number
 *   U  user or group id; -1 leaves it as it is
 *   w  clone flags, CLONE_*; the low byte of clone's is a signal number
 *
 * f D i m o t g U are 32 bits wide: the kernel ignores the upper half of the
 * register, and -1 is commonly 0x00000000ffffffff there.
 *
 * "" is a call without arguments, or one that Linux never had on x86-64.
 *
 * Class: calls that change the world by name are kept by default.
 *
 *   F  a file, mount or root directory is opened, made, renamed or removed
 *   P  a process is made, killed, traced or moved to another namespace; code
 *      is loaded into the kernel; the machine is rebooted
 *   S  a socket is bound, connected or accepts; an io_uring is set up
 *   C  credentials, permissions, extended attributes and keys change
 *   0  not kept by default
 */
/* clang-format off */
#define WEIR_SYSCALLS(X)						\
	X(0, read,				"fpz",		0)	\
	X(1, write,				"fpz",		0)	\
	X(2, open,				"som",		'F')	\
	X(3, close,				"f",		0)	\
	X(4, stat,				"sp",		0)	\
	X(5, fstat,				"fp",		0)	\
	X(6, lstat,				"sp",		0)	\
	X(7, poll,				"pzi",		0)	\
	X(8, lseek,				"fli",		0)	\
	X(9, mmap,				"pzxxfu",	0)	\
	X(10, mprotect,				"pzx",		0)	\
	X(11, munmap,				"pz",		0)	\
	X(12, brk,				"p",		0)	\
	X(13, rt_sigaction,			"gppz",		0)	\
	X(14, rt_sigprocmask,			"ippz",		0)	\
	X(15, rt_sigreturn,			"",		0)	\
	X(16, ioctl,				"fxx",		0)	\
	X(17, pread64,				"fpzl",		0)	\
	X(18, pwrite64,				"fpzl",		0)	\
	X(19, readv,				"fpz",		0)	\
	X(20, writev,				"fpz",		0)	\
	X(21, access,				"sx",		0)	\
	X(22, pipe,				"p",		0)	\
	X(23, select,				"ipppp",	0)	\
	X(24, sched_yield,			"",		0)	\
	X(25, mremap,				"pzzxp",	0)	\
	X(26, msync,				"pzx",		0)	\
	X(27, mincore,				"pzp",		0)	\
	X(28, madvise,				"pzi",		0)	\
	X(29, shmget,				"xzx",		0)	\
	X(30, shmat,				"ipx",		0)	\
	X(31, shmctl,				"iip",		0)	\
	X(32, dup,				"f",		0)	\
	X(33, dup2,				"ff",		0)	\
	X(34, pause,				"",		0)	\
	X(35, nanosleep,			"pp",		0)	\
	X(36, getitimer,			"ip",		0)	\
	X(37, alarm,				"u",		0)	\
	X(38, setitimer,			"ipp",		0)	\
	X(39, getpid,				"",		0)	\
	X(40, sendfile,				"ffpz",		0)	\
	X(41, socket,				"iii",		0)	\
	X(42, connect,				"faz",		'S')	\
	X(43, accept,				"fap",		'S')	\
	X(44, sendto,				"fpzxaz",	0)	\
	X(45, recvfrom,				"fpzxap",	0)	\
	X(46, sendmsg,				"fpx",		0)	\
	X(47, recvmsg,				"fpx",		0)	\
	X(48, shutdown,				"fi",		0)	\
	X(49, bind,				"faz",		'S')	\
	X(50, listen,				"fi",		'S')	\
	X(51, getsockname,			"fap",		0)	\
	X(52, getpeername,			"fap",		0)	\
	X(53, socketpair,			"iiip",		0)	\
	X(54, setsockopt,			"fiipz",	0)	\
	X(55, getsockopt,			"fiipp",	0)	\
	X(56, clone,				"wpppp",	'P')	\
	X(57, fork,				"",		'P')	\
	X(58, vfork,				"",		'P')	\
	X(59, execve,				"spp",		'P')	\
	X(60, exit,				"i",		0)	\
	X(61, wait4,				"tpxp",		0)	\
	X(62, kill,				"tg",		'P')	\
	X(63, uname,				"p",		0)	\
	X(64, semget,				"xix",		0)	\
	X(65, semop,				"ipz",		0)	\
	X(66, semctl,				"iiix",		0)	\
	X(67, shmdt,				"p",		0)	\
	X(68, msgget,				"xx",		0)	\
	X(69, msgsnd,				"ipzx",		0)	\
	X(70, msgrcv,				"ipzlx",	0)	\
	X(71, msgctl,				"iip",		0)	\
	X(72, fcntl,				"fix",		0)	\
	X(73, flock,				"fx",		0)	\
	X(74, fsync,				"f",		0)	\
	X(75, fdatasync,			"f",		0)	\
	X(76, truncate,				"sl",		'F')	\
	X(77, ftruncate,			"fl",		0)	\
	X(78, getdents,				"fpz",		0)	\
	X(79, getcwd,				"pz",		0)	\
	X(80, chdir,				"s",		0)	\
	X(81, fchdir,				"f",		0)	\
	X(82, rename,				"ss",		'F')	\
	X(83, mkdir,				"sm",		'F')	\
	X(84, rmdir,				"s",		'F')	\
	X(85, creat,				"sm",		'F')	\
	X(86, link,				"ss",		'F')	\
	X(87, unlink,				"s",		'F')	\
	X(88, symlink,				"ss",		'F')	\
	X(89, readlink,				"spz",		0)	\
	X(90, chmod,				"sm",		'C')	\
	X(91, fchmod,				"fm",		'C')	\
	X(92, chown,				"sUU",		'C')	\
	X(93, fchown,				"fUU",		'C')	\
	X(94, lchown,				"sUU",		'C')	\
	X(95, umask,				"m",		0)	\
	X(96, gettimeofday,			"pp",		0)	\
	X(97, getrlimit,			"up",		0)	\
	X(98, getrusage,			"ip",		0)	\
	X(99, sysinfo,				"p",		0)	\
	X(100, times,				"p",		0)	\
	X(101, ptrace,				"itxx",		'P')	\
	X(102, getuid,				"",		0)	\
	X(103, syslog,				"ipz",		0)	\
	X(104, getgid,				"",		0)	\
	X(105, setuid,				"U",		'C')	\
	X(106, setgid,				"U",		'C')	\
	X(107, geteuid,				"",		0)	\
	X(108, getegid,				"",		0)	\
	X(109, setpgid,				"tt",		0)	\
	X(110, getppid,				"",		0)	\
	X(111, getpgrp,				"",		0)	\
	X(112, setsid,				"",		0)	\
	X(113, setreuid,			"UU",		'C')	\
	X(114, setregid,			"UU",		'C')	\
	X(115, getgroups,			"ip",		0)	\
	X(116, setgroups,			"ip",		'C')	\
	X(117, setresuid,			"UUU",		'C')	\
	X(118, getresuid,			"ppp",		0)	\
	X(119, setresgid,			"UUU",		'C')	\
	X(120, getresgid,			"ppp",		0)	\
	X(121, getpgid,				"t",		0)	\
	X(122, setfsuid,			"U",		'C')	\
	X(123, setfsgid,			"U",		'C')	\
	X(124, getsid,				"t",		0)	\
	X(125, capget,				"pp",		0)	\
	X(126, capset,				"pp",		'C')	\
	X(127, rt_sigpending,			"pz",		0)	\
	X(128, rt_sigtimedwait,			"pppz",		0)	\
	X(129, rt_sigqueueinfo,			"tgp",		'P')	\
	X(130, rt_sigsuspend,			"pz",		0)	\
	X(131, sigaltstack,			"pp",		0)	\
	X(132, utime,				"sp",		0)	\
	X(133, mknod,				"smx",		'F')	\
	X(134, uselib,				"s",		'F')	\
	X(135, personality,			"x",		0)	\
	X(136, ustat,				"xp",		0)	\
	X(137, statfs,				"sp",		0)	\
	X(138, fstatfs,				"fp",		0)	\
	X(139, sysfs,				"ixx",		0)	\
	X(140, getpriority,			"ii",		0)	\
	X(141, setpriority,			"iii",		0)	\
	X(142, sched_setparam,			"tp",		0)	\
	X(143, sched_getparam,			"tp",		0)	\
	X(144, sched_setscheduler,		"tip",		0)	\
	X(145, sched_getscheduler,		"t",		0)	\
	X(146, sched_get_priority_max,		"i",		0)	\
	X(147, sched_get_priority_min,		"i",		0)	\
	X(148, sched_rr_get_interval,		"tp",		0)	\
	X(149, mlock,				"pz",		0)	\
	X(150, munlock,				"pz",		0)	\
	X(151, mlockall,			"x",		0)	\
	X(152, munlockall,			"",		0)	\
	X(153, vhangup,				"",		0)	\
	X(154, modify_ldt,			"ipz",		0)	\
	X(155, pivot_root,			"ss",		'F')	\
	X(156, _sysctl,				"p",		0)	\
	X(157, prctl,				"ixxxx",	0)	\
	X(158, arch_prctl,			"xp",		0)	\
	X(159, adjtimex,			"p",		0)	\
	X(160, setrlimit,			"up",		0)	\
	X(161, chroot,				"s",		'F')	\
	X(162, sync,				"",		0)	\
	X(163, acct,				"s",		'F')	\
	X(164, settimeofday,			"pp",		0)	\
	X(165, mount,				"ssSxp",	'F')	\
	X(166, umount2,				"sx",		'F')	\
	X(167, swapon,				"sx",		'F')	\
	X(168, swapoff,				"s",		'F')	\
	X(169, reboot,				"xxxp",		'P')	\
	X(170, sethostname,			"pz",		0)	\
	X(171, setdomainname,			"pz",		0)	\
	X(172, iopl,				"u",		'C')	\
	X(173, ioperm,				"uui",		'C')	\
	X(174, create_module,			"Sz",		0)	\
	X(175, init_module,			"pzS",		'P')	\
	X(176, delete_module,			"Sx",		'P')	\
	X(177, get_kernel_syms,			"p",		0)	\
	X(178, query_module,			"Sipzp",	0)	\
	X(179, quotactl,			"xsup",		0)	\
	X(180, nfsservctl,			"ipp",		0)	\
	X(181, getpmsg,				"",		0)	\
	X(182, putpmsg,				"",		0)	\
	X(183, afs_syscall,			"",		0)	\
	X(184, tuxcall,				"",		0)	\
	X(185, security,			"",		0)	\
	X(186, gettid,				"",		0)	\
	X(187, readahead,			"flz",		0)	\
	X(188, setxattr,			"sSpzx",	'C')	\
	X(189, lsetxattr,			"sSpzx",	'C')	\
	X(190, fsetxattr,			"fSpzx",	'C')	\
	X(191, getxattr,			"sSpz",		0)	\
	X(192, lgetxattr,			"sSpz",		0)	\
	X(193, fgetxattr,			"fSpz",		0)	\
	X(194, listxattr,			"spz",		0)	\
	X(195, llistxattr,			"spz",		0)	\
	X(196, flistxattr,			"fpz",		0)	\
	X(197, removexattr,			"sS",		'C')	\
	X(198, lremovexattr,			"sS",		'C')	\
	X(199, fremovexattr,			"fS",		'C')	\
	X(200, tkill,				"tg",		'P')	\
	X(201, time,				"p",		0)	\
	X(202, futex,				"pxuppx",	0)	\
	X(203, sched_setaffinity,		"tzp",		0)	\
	X(204, sched_getaffinity,		"tzp",		0)	\
	X(205, set_thread_area,			"p",		0)	\
	X(206, io_setup,			"up",		0)	\
	X(207, io_destroy,			"x",		0)	\
	X(208, io_getevents,			"xllpp",	0)	\
	X(209, io_submit,			"xlp",		0)	\
	X(210, io_cancel,			"xpp",		0)	\
	X(211, get_thread_area,			"p",		0)	\
	X(212, lookup_dcookie,			"xpz",		0)	\
	X(213, epoll_create,			"i",		0)	\
	X(214, epoll_ctl_old,			"",		0)	\
	X(215, epoll_wait_old,			"",		0)	\
	X(216, remap_file_pages,		"pzxux",	0)	\
	X(217, getdents64,			"fpz",		0)	\
	X(218, set_tid_address,			"p",		0)	\
	X(219, restart_syscall,			"",		0)	\
	X(220, semtimedop,			"ipzp",		0)	\
	X(221, fadvise64,			"flzi",		0)	\
	X(222, timer_create,			"ipp",		0)	\
	X(223, timer_settime,			"ixpp",		0)	\
	X(224, timer_gettime,			"ip",		0)	\
	X(225, timer_getoverrun,		"i",		0)	\
	X(226, timer_delete,			"i",		0)	\
	X(227, clock_settime,			"ip",		0)	\
	X(228, clock_gettime,			"ip",		0)	\
	X(229, clock_getres,			"ip",		0)	\
	X(230, clock_nanosleep,			"ixpp",		0)	\
	X(231, exit_group,			"i",		0)	\
	X(232, epoll_wait,			"fpii",		0)	\
	X(233, epoll_ctl,			"fifp",		0)	\
	X(234, tgkill,				"ttg",		'P')	\
	X(235, utimes,				"sp",		0)	\
	X(236, vserver,				"",		0)	\
	X(237, mbind,				"pzxpzx",	0)	\
	X(238, set_mempolicy,			"xpz",		0)	\
	X(239, get_mempolicy,			"ppzpx",	0)	\
	X(240, mq_open,				"Somp",		'F')	\
	X(241, mq_unlink,			"S",		'F')	\
	X(242, mq_timedsend,			"fpzup",	0)	\
	X(243, mq_timedreceive,			"fpzpp",	0)	\
	X(244, mq_notify,			"fp",		0)	\
	X(245, mq_getsetattr,			"fpp",		0)	\
	X(246, kexec_load,			"pzpx",		'P')	\
	X(247, waitid,				"itpxp",	0)	\
	X(248, add_key,				"SSpzi",	'C')	\
	X(249, request_key,			"SSSi",		'C')	\
	X(250, keyctl,				"ixxxx",	'C')	\
	X(251, ioprio_set,			"iix",		0)	\
	X(252, ioprio_get,			"ii",		0)	\
	X(253, inotify_init,			"",		0)	\
	X(254, inotify_add_watch,		"fsx",		0)	\
	X(255, inotify_rm_watch,		"fi",		0)	\
	X(256, migrate_pages,			"tzpp",		0)	\
	X(257, openat,				"Dsom",		'F')	\
	X(258, mkdirat,				"Dsm",		'F')	\
	X(259, mknodat,				"Dsmx",		'F')	\
	X(260, fchownat,			"DsUUx",	'C')	\
	X(261, futimesat,			"Dsp",		0)	\
	X(262, newfstatat,			"Dspx",		0)	\
	X(263, unlinkat,			"Dsx",		'F')	\
	X(264, renameat,			"DsDs",		'F')	\
	X(265, linkat,				"DsDsx",	'F')	\
	X(266, symlinkat,			"sDs",		'F')	\
	X(267, readlinkat,			"Dspz",		0)	\
	X(268, fchmodat,			"Dsm",		'C')	\
	X(269, faccessat,			"Dsx",		0)	\
	X(270, pselect6,			"ippppp",	0)	\
	X(271, ppoll,				"pzppz",	0)	\
	X(272, unshare,				"w",		'P')	\
	X(273, set_robust_list,			"pz",		0)	\
	X(274, get_robust_list,			"tpp",		0)	\
	X(275, splice,				"fpfpzx",	0)	\
	X(276, tee,				"ffzx",		0)	\
	X(277, sync_file_range,			"fllx",		0)	\
	X(278, vmsplice,			"fpzx",		0)	\
	X(279, move_pages,			"tzpppx",	0)	\
	X(280, utimensat,			"Dspx",		0)	\
	X(281, epoll_pwait,			"fpiipz",	0)	\
	X(282, signalfd,			"fpz",		0)	\
	X(283, timerfd_create,			"ix",		0)	\
	X(284, eventfd,				"u",		0)	\
	X(285, fallocate,			"fxll",		0)	\
	X(286, timerfd_settime,			"fxpp",		0)	\
	X(287, timerfd_gettime,			"fp",		0)	\
	X(288, accept4,				"fapx",		'S')	\
	X(289, signalfd4,			"fpzx",		0)	\
	X(290, eventfd2,			"ux",		0)	\
	X(291, epoll_create1,			"x",		0)	\
	X(292, dup3,				"ffx",		0)	\
	X(293, pipe2,				"px",		0)	\
	X(294, inotify_init1,			"x",		0)	\
	X(295, preadv,				"fpzll",	0)	\
	X(296, pwritev,				"fpzll",	0)	\
	X(297, rt_tgsigqueueinfo,		"ttgp",		'P')	\
	X(298, perf_event_open,			"ptifx",	'P')	\
	X(299, recvmmsg,			"fpzxp",	0)	\
	X(300, fanotify_init,			"xo",		0)	\
	X(301, fanotify_mark,			"fxxDs",	0)	\
	X(302, prlimit64,			"tupp",		0)	\
	X(303, name_to_handle_at,		"Dsppx",	0)	\
	X(304, open_by_handle_at,		"Dpo",		'F')	\
	X(305, clock_adjtime,			"ip",		0)	\
	X(306, syncfs,				"f",		0)	\
	X(307, sendmmsg,			"fpzx",		0)	\
	X(308, setns,				"fw",		'P')	\
	X(309, getcpu,				"ppp",		0)	\
	X(310, process_vm_readv,		"tpzpzx",	'P')	\
	X(311, process_vm_writev,		"tpzpzx",	'P')	\
	X(312, kcmp,				"ttixx",	0)	\
	X(313, finit_module,			"fSx",		'P')	\
	X(314, sched_setattr,			"tpx",		0)	\
	X(315, sched_getattr,			"tpzx",		0)	\
	X(316, renameat2,			"DsDsx",	'F')	\
	X(317, seccomp,				"uxp",		'C')	\
	X(318, getrandom,			"pzx",		0)	\
	X(319, memfd_create,			"Sx",		'F')	\
	X(320, kexec_file_load,			"ffzSx",	'P')	\
	X(321, bpf,				"ipz",		'P')	\
	X(322, execveat,			"Dsppx",	'P')	\
	X(323, userfaultfd,			"x",		0)	\
	X(324, membarrier,			"ixi",		0)	\
	X(325, mlock2,				"pzx",		0)	\
	X(326, copy_file_range,			"fpfpzx",	0)	\
	X(327, preadv2,				"fpzllx",	0)	\
	X(328, pwritev2,			"fpzllx",	0)	\
	X(329, pkey_mprotect,			"pzxi",		0)	\
	X(330, pkey_alloc,			"xx",		0)	\
	X(331, pkey_free,			"i",		0)	\
	X(332, statx,				"Dsxxp",	0)	\
	X(333, io_pgetevents,			"xllppp",	0)	\
	X(334, rseq,				"pzxx",		0)	\
	X(335, uretprobe,			"",		0)	\
	X(336, uprobe,				"",		0)	\
	/* no call has a number from 337 to 423 */			\
	X(424, pidfd_send_signal,		"fgpx",		'P')	\
	X(425, io_uring_setup,			"up",		'S')	\
	X(426, io_uring_enter,			"fuuxpz",	0)	\
	X(427, io_uring_register,		"fupu",		0)	\
	X(428, open_tree,			"Dsx",		'F')	\
	X(429, move_mount,			"DsDsx",	'F')	\
	X(430, fsopen,				"Sx",		'F')	\
	X(431, fsconfig,			"fuSpi",	'F')	\
	X(432, fsmount,				"fxx",		'F')	\
	X(433, fspick,				"Dsx",		'F')	\
	X(434, pidfd_open,			"tx",		0)	\
	X(435, clone3,				"pz",		'P')	\
	X(436, close_range,			"fux",		0)	\
	X(437, openat2,				"Dspz",		'F')	\
	X(438, pidfd_getfd,			"ffx",		'P')	\
	X(439, faccessat2,			"Dsxx",		0)	\
	X(440, process_madvise,			"fpzix",	0)	\
	X(441, epoll_pwait2,			"fpippz",	0)	\
	X(442, mount_setattr,			"Dsxpz",	'F')	\
	X(443, quotactl_fd,			"fxup",		0)	\
	X(444, landlock_create_ruleset,		"pzx",		0)	\
	X(445, landlock_add_rule,		"fipx",		0)	\
	X(446, landlock_restrict_self,		"fx",		'C')	\
	X(447, memfd_secret,			"x",		0)	\
	X(448, process_mrelease,		"fx",		0)	\
	X(449, futex_waitv,			"pzxpi",	0)	\
	X(450, set_mempolicy_home_node,		"pzux",		0)	\
	X(451, cachestat,			"fppx",		0)	\
	X(452, fchmodat2,			"Dsmx",		'C')	\
	X(453, map_shadow_stack,		"pzx",		0)	\
	X(454, futex_wake,			"pxix",		0)	\
	X(455, futex_wait,			"puxxpi",	0)	\
	X(456, futex_requeue,			"pxii",		0)	\
	X(457, statmount,			"ppzx",		0)	\
	X(458, listmount,			"ppzx",		0)	\
	X(459, lsm_get_self_attr,		"uppx",		0)	\
	X(460, lsm_set_self_attr,		"upzx",		'C')	\
	X(461, lsm_list_modules,		"ppx",		0)	\
	X(462, mseal,				"pzx",		0)	\
	X(463, setxattrat,			"DsxSpz",	'C')	\
	X(464, getxattrat,			"DsxSpz",	0)	\
	X(465, listxattrat,			"Dsxpz",	0)	\
	X(466, removexattrat,			"DsxS",		'C')	\
	X(467, open_tree_attr,			"Dsxpz",	'F')	\
	X(468, file_getattr,			"Dspzx",	0)	\
	X(469, file_setattr,			"Dspzx",	'C')	\
	X(470, listns,				"ppzx",		0)	\
	X(471, rseq_slice_yield,		"",		0)	\
	X(472, fchroot,				"fx",		'F')

/* clang-format on */

/*
 * The same as a type. Its enumerators are in the BTF of every object that uses
 * it in a field; without WEIR_SYS_ they are the names that weir prints. Numbers
 * without a row have no name: they are printed as they are.
 */
enum weir_syscall {
#define WEIR_SYSCALL_ENUMERATOR(nr, name, sig, class) WEIR_SYS_##name = nr,
	WEIR_SYSCALLS(WEIR_SYSCALL_ENUMERATOR)
#undef WEIR_SYSCALL_ENUMERATOR
};

#endif /* WEIR_SYSCALLS_H */
