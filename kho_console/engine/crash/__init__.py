"""The crash image: what a dump taken now would contain, and what CPUs and memory do to it."""
