/** Why an image is refused, and how to make one that is not. */
import type { ObjectionCode } from '../../host/image-objection.ts';
import type { Explanations } from './explanation.ts';

const convert =
  'the image was made, write it out anew: qemu-img convert -O qcow2 OLD NEW. Then give the document the digest of NEW.';
const flatten = `Where ${convert}`;
const disk = `A disk: where ${convert}`;

const kernel =
  'A kernel: take the bzImage that a distribution for x86 has as /boot/vmlinuz-VERSION, or a build of Linux as arch/x86/boot/bzImage; not a vmlinux, a unified kernel image (UKI) or what was made for another loader. Then give the document the digest of that.';

const ramdisk =
  'An initial RAM disk: take what the distribution has beside its kernel as /boot/initrd.img-VERSION, or an archive of cpio.';

export const imageExplanations: Explanations<ObjectionCode> = {
  DigestMismatch: {
    means: 'The bytes of the image are others than spec.digest says. None of them was used.',
    todo: 'Compare with `sha256sum FILE`. If the file is the right one, write that into the document; if not, copy it again.',
  },
  WrongFormat: {
    means:
      'The image is not of the format that spec.format declares. A kernel (bzImage) has to begin as the boot protocol of Linux for x86 says (0xAA55 at 0x1fe, HdrS at 0x202): a vmlinux (ELF), a Multiboot kernel, a unified kernel image (UKI), a gzipped one or one for another architecture does not. Any other image, a raw one or an initial RAM disk above all, must not begin, or end, as one of the known formats of disks does (qcow2, qed, vmdk, vdi, vhd, vhdx, luks, parallels, bochs, cloop, dmg), since somebody who reads it later might believe that.',
    todo: `Say the right format, or convert a disk: qemu-img convert -O qcow2 OLD NEW. ${kernel} ${ramdisk}`,
  },
  SeveralFormats: {
    means:
      'The image is of the declared format and could be read as another one too (a kernel: as an ELF or a Multiboot kernel, which another loader might do), or there is something between its header and its data that is of neither.',
    todo: `${disk} ${kernel}`,
  },
  UnknownVersion: {
    means:
      'The image is a qcow2 of a version that is not known (2 and 3 are), or a kernel of a version of the boot protocol that is not (2.12 to 2.15 are, which Linux has had since 3.8).',
    todo: `${disk} ${kernel} A newer one, if it is of a Linux before 3.8.`,
  },
  BackingFile: {
    means:
      'The image lies on another file, which would be a file of the host here. Nothing of it was opened.',
    todo: flatten,
  },
  ExternalDataFile: {
    means:
      'The image keeps its data in another file, which would be a file of the host here. Nothing of it was opened.',
    todo: flatten,
  },
  NoFileSystem: {
    means:
      'The image is to be taken off the image disk, and there is no ext4 on that which e2fsprogs could read. The host never mounts it.',
    todo: 'In the Primary: mkfs.ext4 /dev/disk/by-id/virtio-unnest-images, with what your mkfs makes by default of features that Debian 12 knows; then put the file there again.',
  },
  StillMounted: {
    means:
      'The file system of the image disk was not unmounted before the Primary said that it had let go of it: its journal has still to be replayed, or it does not say that it is clean. Nothing was taken off it.',
    todo: 'In the Primary: umount it (or mount it and unmount it, or run e2fsck, if it was torn from you), and then unnest hand-over IMAGE again.',
  },
  NotOnDisk: {
    means: 'There is no file at spec.source.imageDisk.path on the image disk.',
    todo: 'Compare the path with what is there: it begins at the root of the disk, not at where you mount it, and links are not followed out of it. Then unnest hand-over IMAGE again.',
  },
  NotAFile: {
    means:
      'What is at spec.source.imageDisk.path on the image disk is a folder, a symbolic link or a device, and not a file.',
    todo: 'Put the file itself there, or name it in the document.',
  },
  OtherSize: {
    means:
      'The file on the image disk has more bytes than spec.source.imageDisk.bytes says, or fewer. Room was made for as many as the document says, and it is not read further.',
    todo: 'If the file is the right one, write what `stat -c %s FILE` says into the document; if not, copy it again.',
  },
  NoRoomToShrink: {
    means:
      'An image was moved off the image disk, which is to become smaller by as much; but what else is on it does not leave as much room: the file was sparse, has another name (a hard link), or was written to again. The disk is as it was, with the file, and the image is there beside it.',
    todo: 'Make room on the disk, and unnest hand-over any image that is to come from it; or give up the image, or say mode: copy for ones like it.',
  },
  Encrypted: {
    means: 'The image is encrypted as a whole. The host has no keys, and asks for none.',
    todo: 'Decrypt it where it was made, or encrypt inside the guest.',
  },
  Dirty: {
    means: 'The image was not closed properly: somebody may still write to it, or has crashed.',
    todo: 'Stop whoever uses it, run qemu-img check -r all FILE on it, and then convert it: qemu-img convert -O qcow2 OLD NEW.',
  },
  Corrupt: {
    means:
      'The image says of itself that it is corrupt, or its tables contradict one another: two places for one cluster, a cluster behind the end, a table inside another one.',
    todo: 'Run qemu-img check on it where it was made. What it cannot repair has to be made anew.',
  },
  InternalSnapshots: {
    means: 'The image has snapshots inside, of which nobody sees what they hold.',
    todo: flatten,
  },
  Bitmaps: {
    means: 'The image has bitmaps, by which backups know what has changed.',
    todo: flatten,
  },
  UnknownFeature: {
    means:
      'The image needs a feature that is not on the list of what is allowed. Known ones that are not, of a qcow2: extended L2 entries (allowed are lazy refcounts and compression with zlib or zstd). Of a kernel: to be loaded low, as a zImage is; or an initial RAM disk that ends below 2 GiB (initrd_addr_max), which no Linux for x86 asks for that is new enough to be taken.',
    todo: `${disk} ${kernel} One that you build yourself: make bzImage, with nothing changed in its header.`,
  },
  BadGeometry: {
    means:
      'The header of the image says what no honest one does: of clusters, sizes or itself. That of a kernel has to be as long as its protocol says, and its setup (at most 32 KiB), its code and its compressed kernel lie within the file; one that was cut short has not all of it. A kernel or an initial RAM disk that is empty is none.',
    todo: `${disk} A kernel or an initial RAM disk: copy it again, and compare its length (\`stat -c %s FILE\`) and digest (\`sha256sum FILE\`) with those where it comes from. ${kernel}`,
  },
  BadTables: {
    means:
      'The tables of the image lie outside of it or over one another, or are larger than a disk of its size needs. One that was made smaller can have a table that is too large.',
    todo: flatten,
  },
  TooLarge: {
    means:
      'The image is a larger disk than spec.virtualSize allows, or a longer file than its disk can need; or a kernel of more than 48 MiB, or an initial RAM disk of 2 GiB or more.',
    todo: 'A disk: say a larger spec.virtualSize if it is right, or make the image smaller. What makes a kernel large is an initial RAM disk inside: give it as an Image of its own. What makes an initial RAM disk large is a whole system inside: put that on a Volume, and boot with what finds it.',
  },
  Disagreement: {
    means:
      'unnest and qemu-img have read different things out of the header of the image. That is how somebody is deceived, so it is refused whoever is right.',
    todo: `${flatten} Please report it, with both.`,
  },
  OverLimits: {
    means:
      'Looking into the image took more time, memory or room than it may. Its tables are made for that, or it is very large.',
    todo: flatten,
  },
};
