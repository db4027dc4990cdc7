/** Reserved words (POSIX.1-2024 2.4; Bash manual 3.2.1). */
export const RESERVED: ReadonlySet<string> = new Set(
  '{ } if then elif else fi for while until do done case esac in select function !'.split(' '),
);
