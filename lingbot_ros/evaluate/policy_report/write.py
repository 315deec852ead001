def write_report(*args):
    return "played"
