/** A kernel that a guest can boot. */
export interface Kernel {
  /** Its name for the user: "6.12.117+deb13-cloud-amd64", or the path that was given. */
  name: string;
  /** The output of `uname -r`; only a label: features are detected by trying. */
  release: string;
  /** The bzImage. */
  image: string;
  /** The folder that contains `lib/modules/<release>`; undefined for a kernel with everything built in. */
  modules?: string;
  /** Its config, as lines `CONFIG_X=y`; undefined when it is unknown. */
  config?: string;
  /** Its source: "Debian trixie-security, 6.12.117-1". */
  origin: string;
  /** Changes with the image or the modules; the cache key of all files built from them. Usable as a file name. */
  id: string;
}
