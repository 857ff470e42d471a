"""Packs: processes that train several trials each in one program, and the trials that join them."""
