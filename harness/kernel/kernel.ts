/** A kernel that a guest can boot. */
export interface Kernel {
  /** As a person names it: "6.12.117+deb13-cloud-amd64", or the path that was given. */
  name: string;
  /** What `uname -r` will say; a label only: what it supports is found by trying. */
  release: string;
  /** The bzImage. */
  image: string;
  /** The folder below which `lib/modules/<release>` is; undefined for a kernel that has everything built in. */
  modules?: string;
  /** Its config, as lines `CONFIG_X=y`; undefined when nobody knows it. */
  config?: string;
  /** Where it comes from: "Debian trixie-security, 6.12.117-1". */
  origin: string;
  /** Changes whenever the image or the modules do: what is made of them is cached by it. Fit for a file name. */
  id: string;
}
