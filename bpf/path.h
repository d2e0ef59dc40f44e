/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The path of an open file as the current process sees it, like d_path() of fs/d_path.c: bpf_d_path() exists in few
 * kinds of programs only.
 */
#ifndef PATH_H
#define PATH_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* Offsets in the kernel's structures, by the names of its BTF; the loader sets them. */
#define OFFSET(name) const volatile __u32 offset__##name SEC(".rodata")
/* Stays NO_OFFSET on a kernel that does not have the field. */
#define NO_OFFSET 0xffffffff
#define OPTIONAL_OFFSET(name) const volatile __u32 offset__##name SEC(".rodata") = NO_OFFSET
OFFSET(file__f_path);
OFFSET(path__mnt);
OFFSET(path__dentry);
OFFSET(dentry__d_parent);
OFFSET(dentry__d_name__name);
OFFSET(dentry__d_name__len);
OFFSET(vfsmount__mnt_root);
OFFSET(mount__mnt);
OFFSET(mount__mnt_parent);
OFFSET(mount__mnt_mountpoint);
OFFSET(task_struct__fs);
OFFSET(fs_struct__root);

#define PATH_BUFFER 4096
#define NAME_BYTES 256
/* Names and mounts on the way to the root. */
#define PATH_STEPS 128

/*
 * The state of the walk is in the map's memory. In registers the verifier would examine each step again for every value
 * that it finds possible.
 */
struct path_buffer {
	/* The path is from here to PATH_BUFFER in the text; names are put in front of each other. */
	__u32 start;
	__u32 unused;
	const void *first;
	const void *dentry;
	const void *mnt;
	const void *root_dentry;
	const void *root_mnt;
	/* A name may be written across the end. */
	char text[PATH_BUFFER + NAME_BYTES];
};

/* As struct path of the kernel, include/linux/path.h. */
struct place {
	const void *mnt;
	const void *dentry;
};

static __always_inline void *read_pointer(const void *from, __u32 offset)
{
	void *pointer = 0;

	bpf_probe_read_kernel(&pointer, sizeof(pointer), from + offset);
	return pointer;
}

/* Of a struct path. */
static __always_inline struct place read_place(const void *path)
{
	struct place place = { read_pointer(path, offset__path__mnt), read_pointer(path, offset__path__dentry) };

	return place;
}

/* Puts "/NAME" in front of the text; 0 if it does not fit. */
static __always_inline int prepend_name(volatile struct path_buffer *buffer, const void *dentry)
{
	__u32 length = 0;
	void *name = read_pointer(dentry, offset__dentry__d_name__name);

	bpf_probe_read_kernel(&length, sizeof(length), dentry + offset__dentry__d_name__len);
	__u32 start = buffer->start;

	if (length >= NAME_BYTES || start <= length + 1)
		return 0;
	start -= length;
	bpf_probe_read_kernel((char *)&buffer->text[start & (PATH_BUFFER - 1)], length & (NAME_BYTES - 1), name);
	start--;
	buffer->text[start & (PATH_BUFFER - 1)] = '/';
	buffer->start = start;
	return 1;
}

/* Whether the path is complete: the walk is at the root of the process. By one branch: the verifier follows both sides. */
static __always_inline int is_at_root(volatile struct path_buffer *buffer)
{
	__u64 others = ((__u64)buffer->dentry ^ (__u64)buffer->root_dentry) |
		       ((__u64)buffer->mnt ^ (__u64)buffer->root_mnt);

	return others == 0;
}

/* Writes the path into buffer->text, the root as an empty text; 0 if it is too long. */
static __always_inline int render_path(volatile struct path_buffer *buffer, const struct place *place)
{
	void *fs = read_pointer((void *)bpf_get_current_task(), offset__task_struct__fs);

	buffer->first = place->dentry;
	buffer->dentry = place->dentry;
	buffer->mnt = place->mnt;
	buffer->root_dentry = read_pointer(fs + offset__fs_struct__root, offset__path__dentry);
	buffer->root_mnt = read_pointer(fs + offset__fs_struct__root, offset__path__mnt);
	buffer->start = PATH_BUFFER;
	buffer->text[PATH_BUFFER] = 0;

	for (int step = 0; step < PATH_STEPS; step++) {
		if (is_at_root(buffer))
			return 1;
		const void *parent = read_pointer(buffer->dentry, offset__dentry__d_parent);
		const void *mnt_root = read_pointer(buffer->mnt, offset__vfsmount__mnt_root);

		if (buffer->dentry == mnt_root || buffer->dentry == parent) {
			const void *mount = buffer->mnt - offset__mount__mnt;
			const void *above = read_pointer(mount, offset__mount__mnt_parent);

			/* Outside of the root of the process, or in a file system without a path: a memfd. */
			if (above == mount || !above)
				return buffer->start == PATH_BUFFER ? prepend_name(buffer, buffer->first) : 1;
			buffer->dentry = read_pointer(mount, offset__mount__mnt_mountpoint);
			buffer->mnt = above + offset__mount__mnt;
			continue;
		}
		if (!prepend_name(buffer, buffer->dentry))
			return 0;
		buffer->dentry = parent;
	}
	return 0;
}

#endif
